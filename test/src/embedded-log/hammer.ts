import { RejectedError, UnavailableError, utf8 } from '@flyball/core';
import { EmbeddedLog } from '@flyball/log-embedded';
import { openSync, writeSync } from 'node:fs';

// A child process that appends numbered items as fast as it can and says in its ledger what became of each:
// `s N` before it is sent, `a N` when it was acknowledged, `r N CODE` when it was refused, `b 0 CODE` when the disk failed and it
// ends. Its parent kills it.

/** Exit code when the disk failed. */
const BROKEN = 74;

const [dir = '', ledgerPath = '', start = '0', count = '1000000', budget = '0'] = process.argv.slice(2);
// Written at once: a pipe that its reader is slow to empty would keep lines in this process, and they would die with it.
const ledger = openSync(ledgerPath, 'a');
const say = (line: string) => writeSync(ledger, `${line}\n`);
const log = await EmbeddedLog.open({
  dir,
  ...(budget !== '0' && { budgetBytes: Number(budget) }),
  onBroken: ({ code }) => {
    say(`b 0 ${code}`);
    process.exit(BROKEN);
  },
});
await log.create('items', 4);
const fill = 'x'.repeat(200);

async function send(item: number): Promise<void> {
  say(`s ${item}`);
  try {
    await log.append({ topic: 'items', partition: item % 4 }, [
      { key: '', headers: {}, value: utf8(`${item} ${fill}`) },
    ]);
    say(`a ${item}`);
    process.stdout.write('.'); // Tells the one who kills how far this is; may be lost.
  } catch (error) {
    if (!(error instanceof UnavailableError || error instanceof RejectedError)) throw error;
    say(`r ${item} ${error.code}`);
  }
}

const IN_FLIGHT = 64;
for (let item = Number(start); item < Number(start) + Number(count); item += IN_FLIGHT) {
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, index) => send(item + index)));
}
await log.close();
