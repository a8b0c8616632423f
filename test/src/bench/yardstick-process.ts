import { costInMemory } from './aggregator.ts';

// A child process that does an aggregator's work over a log in memory, and prints what a span cost it, CPU-microseconds.

process.stdout.write(String(await costInMemory(20)));
