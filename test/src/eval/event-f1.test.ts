import { expect, test } from 'vitest';
import { eventF1 } from './event-f1.ts';

// Goal: a fault that is found late counts as missed, and each false alert counts.

const seriesOf = (rows: number, fault: [number, number], alerts: number[]) => ({
  scores: Array.from({ length: rows }, (_, row) => (alerts.includes(row) ? 0.5 : 0)),
  labels: Array.from({ length: rows }, (_, row) => row >= fault[0] && row < fault[1]),
});

test('a fault found in its first eight rows is found whole, later not at all', () => {
  expect(eventF1([seriesOf(100, [50, 70], [57])], 0.5)).toEqual({ events: 1, found: 1, falseAlerts: 0, f1: 1 });
  expect(eventF1([seriesOf(100, [50, 70], [58])], 0.5)).toEqual({ events: 1, found: 0, falseAlerts: 0, f1: 0 });
  expect(eventF1([seriesOf(100, [50, 53], [53])], 0.5)).toEqual({ events: 1, found: 0, falseAlerts: 1, f1: 0 });
});

test('rows found, rows missed and false alerts make the F1, over all series', () => {
  const set = [seriesOf(100, [50, 70], [50, 51, 10, 90]), seriesOf(100, [95, 100], [])];
  expect(eventF1(set, 0.5)).toEqual({ events: 2, found: 1, falseAlerts: 2, f1: 40 / (40 + 5 + 2) });
  expect(eventF1(set, 0.6).found).toBe(0);
});
