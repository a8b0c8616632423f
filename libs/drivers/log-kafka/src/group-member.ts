import type { Membership, Partition } from '@flyball/runtime';
import { AssignerProtocol } from 'kafkajs';
import { assign, type Member } from './assignment.ts';
import type { Connection } from './connection.ts';
import type { Broker } from './internals.ts';
import { isComingCoordinator, kafkaCode } from './kafka-errors.ts';

const { MemberAssignment, MemberMetadata } = AssignerProtocol;
/** Name of our way to share partitions out. Members of one group must agree on it. */
const PROTOCOL = 'flyball-sticky-1';
const HEARTBEAT_MS = 1_000;
/** A member that is silent for so long is gone, ms. */
const SESSION_TIMEOUT_MS = 6_000;
/** How long the others wait for a member that has to join again, ms. */
const REBALANCE_TIMEOUT_MS = 4_000;
const BACKOFF_MS = 500;

/** What a member needs. */
export interface MemberOptions {
  /** A connection of its own: joining blocks it until the others have come. */
  readonly connection: Connection;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Partitions of a topic. */
  readonly partitionsOf: (topic: string) => Promise<number>;
  readonly onOwned: (owned: readonly Partition[]) => void;
}

/**
 * A member of a consumer group, by the classic protocol, that learns which partitions it should read, and nothing else:
 * positions are ours. What it was given is a hint, so it is kept while the group is away, and while it is shared out anew.
 */
export class GroupMember implements Membership {
  readonly #options: MemberOptions;
  #memberId = '';
  #generation = -1;
  #owned: readonly Partition[] = [];
  #isLeaving = false;
  #wake: () => void = () => undefined;
  readonly #loop: Promise<void>;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  async leave(): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#wake();
    await this.#loop;
    const { groupId } = this.#options;
    const memberId = this.#memberId;
    await this.#ask((broker) => broker.leaveGroup({ groupId, memberId })).catch(() => undefined);
    await this.#options.connection.close();
  }

  async #run(): Promise<void> {
    while (!this.#isLeaving) {
      try {
        await this.#join();
        await this.#stay();
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  /** Heartbeats until the group changes, which is told by an error. */
  async #stay(): Promise<void> {
    const { groupId } = this.#options;
    while (!this.#isLeaving) {
      await this.#sleep(HEARTBEAT_MS);
      const about = { groupId, groupGenerationId: this.#generation, memberId: this.#memberId };
      if (!this.#isLeaving) await this.#ask((broker) => broker.heartbeat(about));
    }
  }

  async #recover(error: unknown): Promise<void> {
    const code = kafkaCode(error);
    if (code === 'REBALANCE_IN_PROGRESS') return;
    if (['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'MEMBER_ID_REQUIRED'].includes(code)) this.#memberId = '';
    else if (!isComingCoordinator(error)) await this.#options.connection.refresh().catch(() => undefined);
    await this.#sleep(BACKOFF_MS);
  }

  async #join(): Promise<void> {
    const { groupId, topics, onOwned } = this.#options;
    const userData = Buffer.from(JSON.stringify(this.#owned));
    const metadata = MemberMetadata.encode({ version: 0, topics: [...topics], userData });
    const joined = await this.#ask((broker) =>
      broker.joinGroup({
        groupId,
        sessionTimeout: SESSION_TIMEOUT_MS,
        rebalanceTimeout: REBALANCE_TIMEOUT_MS,
        memberId: this.#memberId,
        groupProtocols: [{ name: PROTOCOL, metadata }],
      }),
    );
    this.#memberId = joined.memberId;
    this.#generation = joined.generationId;
    const about = { groupId, generationId: joined.generationId, memberId: joined.memberId };
    const groupAssignment = joined.leaderId === joined.memberId ? await this.#share(joined.members) : [];
    const { memberAssignment } = await this.#ask((broker) => broker.syncGroup({ ...about, groupAssignment }));
    const shares = MemberAssignment.decode(memberAssignment)?.assignment ?? {};
    this.#owned = Object.entries(shares).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    onOwned(this.#owned);
  }

  /** The leader's part: shares out what the members want. */
  async #share(
    joined: readonly { memberId: string; memberMetadata: Buffer }[],
  ): Promise<{ memberId: string; memberAssignment: Buffer }[]> {
    const members = joined.map(({ memberId, memberMetadata }): Member => {
      const { topics, userData } = MemberMetadata.decode(memberMetadata)!;
      return { id: memberId, topics, holds: JSON.parse(userData.toString() || '[]') as Partition[] };
    });
    const partitions = new Map<string, number>();
    for (const topic of new Set(members.flatMap(({ topics }) => topics))) {
      partitions.set(topic, await this.#options.partitionsOf(topic));
    }
    return [...assign(members, partitions)].map(([memberId, share]) => {
      const byTopic = Map.groupBy(share, ({ topic }) => topic);
      const assignment = Object.fromEntries(
        [...byTopic].map(([topic, each]) => [topic, each.map(({ partition }) => partition)]),
      );
      return { memberId, memberAssignment: MemberAssignment.encode({ version: 0, assignment, userData: NO_DATA }) };
    });
  }

  #ask<T>(work: (coordinator: Broker) => Promise<T>): Promise<T> {
    const { connection, groupId } = this.#options;
    return connection.with(async (cluster) => work(await cluster.findGroupCoordinator({ groupId })));
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const NO_DATA = Buffer.alloc(0);
