/** What a chaos test does to a server that was started for it. */
export interface ServerFaults {
  /** kill -9: it is gone when this returns; its data are as it left them. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port, and waits until it takes requests. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  freeze(): Promise<void>;
  /** SIGCONT: it goes on where it was frozen. */
  thaw(): Promise<void>;
}
