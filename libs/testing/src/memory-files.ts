import type { Files, FolderEntry, OpenFile } from '@flyball/runtime';
import { posix } from 'node:path';

/**
 * What becomes of one call. `ENOSPC` and `EDQUOT`: a write writes a part, or nothing. `EIO`, `EROFS`: nothing is done. `short`:
 * a write writes a part, and says so. `lost`: a sync fails, and what was not on the disk yet never gets there, as on Linux,
 * where the pages count as clean from then on.
 */
export type FileFault = 'none' | 'ENOSPC' | 'EDQUOT' | 'EIO' | 'EROFS' | 'short' | 'lost';

/** The calls that may fail. */
export type FileCall = 'open' | 'write' | 'truncate' | 'sync' | 'mkdir' | 'rename' | 'link' | 'rm' | 'read';

/** A file: what a reader sees, and what is left of it after a power cut. */
interface Content {
  now: Uint8Array;
  durable: Uint8Array;
}

/** A folder: names that a reader sees, and names that are left after a power cut. */
interface Folder {
  now: Map<string, Content | Folder>;
  durable: Map<string, Content | Folder>;
}

/** A file system in memory that fails as the caller's dice say, and forgets at a power cut what was not synced. */
export class MemoryFiles implements Files {
  readonly #draw: (call: FileCall) => FileFault;
  readonly #pick: (below: number) => number;
  readonly #root: Folder = { now: new Map(), durable: new Map() };

  /** @param pick - a number in `[0, below)`: how much of what is torn is there. */
  constructor(draw: (call: FileCall) => FileFault, pick: (below: number) => number) {
    this.#draw = draw;
    this.#pick = pick;
  }

  async open(path: string, flags: 'r' | 'r+' | 'a' | 'wx'): Promise<OpenFile> {
    this.#fail('open');
    const found = this.#find(path);
    if (flags === 'wx' && found !== undefined) throw failure('EEXIST');
    if (found === undefined && (flags === 'r' || flags === 'r+')) throw failure('ENOENT');
    const node = found ?? { now: new Uint8Array(0), durable: new Uint8Array(0) };
    if (found === undefined) this.#folderOf(path).now.set(posix.basename(path), node);
    return this.#opened(node, flags === 'a');
  }

  async readFile(path: string): Promise<Uint8Array> {
    this.#fail('read');
    const node = this.#find(path);
    if (node === undefined) throw failure('ENOENT');
    if (isFolder(node)) throw failure('EISDIR');
    return node.now.slice();
  }

  async mkdir(path: string, _options: { recursive: true }): Promise<string | undefined> {
    this.#fail('mkdir');
    let first: string | undefined;
    let at = this.#root;
    let walked = '';
    for (const name of partsOf(path)) {
      walked = `${walked}/${name}`;
      const known = at.now.get(name);
      if (known !== undefined && !isFolder(known)) throw failure('ENOTDIR');
      if (known === undefined) first ??= walked;
      const next = known ?? { now: new Map(), durable: new Map() };
      at.now.set(name, next);
      at = next;
    }
    return first;
  }

  async readdir(path: string, _options: { withFileTypes: true }): Promise<readonly FolderEntry[]> {
    this.#fail('read');
    const node = this.#find(path);
    if (node === undefined || !isFolder(node)) throw failure('ENOENT');
    return [...node.now].map(([name, each]) => ({
      name,
      isFile: () => !isFolder(each),
      isDirectory: () => isFolder(each),
    }));
  }

  async rename(from: string, to: string): Promise<void> {
    this.#fail('rename');
    this.#folderOf(to).now.set(posix.basename(to), this.#existing(from));
    this.#folderOf(from).now.delete(posix.basename(from));
  }

  async link(from: string, to: string): Promise<void> {
    this.#fail('link');
    if (this.#find(to) !== undefined) throw failure('EEXIST');
    this.#folderOf(to).now.set(posix.basename(to), this.#existing(from));
  }

  async rm(path: string, _options: { force: true }): Promise<void> {
    this.#fail('rm');
    if (this.#find(path) !== undefined) this.#folderOf(path).now.delete(posix.basename(path));
  }

  /** The power goes: of what was not synced, a part of each file's end may be there, and a name may be there or not. */
  powerCut(): void {
    const settle = (folder: Folder): void => {
      for (const name of new Set([...folder.now.keys(), ...folder.durable.keys()])) {
        if (folder.now.get(name) === folder.durable.get(name) || this.#pick(2) === 0) continue;
        const newer = folder.now.get(name);
        if (newer === undefined) folder.durable.delete(name);
        else folder.durable.set(name, newer);
      }
      folder.now = new Map(folder.durable);
      for (const node of folder.now.values()) {
        if (isFolder(node)) settle(node);
        else node.now = node.durable = this.#tornEnd(node);
      }
    };
    settle(this.#root);
  }

  #tornEnd({ now, durable }: Content): Uint8Array {
    const isGrown = now.length > durable.length && durable.every((byte, index) => byte === now[index]);
    return isGrown ? now.slice(0, durable.length + this.#pick(now.length - durable.length + 1)) : durable;
  }

  #opened(node: Content | Folder, appends: boolean): OpenFile {
    let position = 0;
    return {
      write: async (bytes) => {
        if (isFolder(node)) throw failure('EISDIR');
        const fault = this.#draw('write');
        const isPart = fault === 'short' || fault === 'ENOSPC' || fault === 'EDQUOT';
        const length = isPart ? this.#pick(bytes.length) + (fault === 'short' ? 1 : 0) : bytes.length;
        if (fault === 'EIO' || fault === 'EROFS') throw failure(fault);
        const at = appends ? node.now.length : position;
        const written = new Uint8Array(Math.max(node.now.length, at + length));
        written.set(node.now);
        written.set(bytes.subarray(0, length), at);
        node.now = written;
        position = at + length;
        if (fault === 'ENOSPC' || fault === 'EDQUOT') throw failure(fault);
        return { bytesWritten: length };
      },
      truncate: async (length) => {
        this.#fail('truncate');
        if (!isFolder(node)) node.now = node.now.slice(0, length);
      },
      sync: async () => {
        const fault = this.#draw('sync');
        if (fault === 'lost') forget(node);
        if (fault !== 'none' && fault !== 'short') throw failure('EIO');
        if (isFolder(node)) node.durable = new Map(node.now);
        else node.durable = node.now;
      },
      close: async () => undefined,
    };
  }

  #fail(call: FileCall): void {
    const fault = this.#draw(call);
    if (fault !== 'none' && fault !== 'short' && fault !== 'lost') throw failure(fault);
  }

  #find(path: string): Content | Folder | undefined {
    let at: Content | Folder | undefined = this.#root;
    for (const name of partsOf(path)) {
      if (at === undefined || !isFolder(at)) return undefined;
      at = at.now.get(name);
    }
    return at;
  }

  #existing(path: string): Content | Folder {
    const node = this.#find(path);
    if (node === undefined) throw failure('ENOENT');
    return node;
  }

  #folderOf(path: string): Folder {
    const folder = this.#find(posix.dirname(path));
    if (folder === undefined || !isFolder(folder)) throw failure('ENOENT');
    return folder;
  }
}

/** What was not synced will never be: a later sync finds nothing to do. */
function forget(node: Content | Folder): void {
  if (isFolder(node)) node.now = new Map(node.durable);
  else node.now = node.durable;
}

function isFolder(node: Content | Folder): node is Folder {
  return node.now instanceof Map;
}

function partsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '');
}

function failure(code: string): Error {
  return Object.assign(new Error(`planted: ${code}`), { code });
}
