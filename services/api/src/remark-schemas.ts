import { FeedbackWord, Incident, NoteWord } from '@flyball/contracts';
import { z } from 'zod';

const key = z
  .string()
  .min(1)
  .max(200)
  .describe('Whatever the caller likes: a second request with the same key counts for nothing more.')
  .optional();

export const NoteRequest = z.strictObject({ text: z.string().trim().min(1, 'say something').max(2_000), key });

export const FeedbackRequest = z
  .strictObject({
    verdict: z.enum(['right', 'wrong']),
    /** The service that was the cause, where another one was blamed; '' says nothing of it. */
    cause: z.string().trim().max(200).default(''),
    reason: z.string().trim().max(1_000).default(''),
    key,
  })
  .refine(({ verdict, cause }) => verdict === 'wrong' || cause === '', {
    path: ['cause'],
    message: 'another cause is named of a verdict that was wrong',
  });

const said = { atMs: z.number() };

/** What a person has said of an incident: it changes nothing that is decided. */
export const Remark = z.discriminatedUnion('type', [
  NoteWord.pick({ type: true, remarkId: true, actor: true, text: true }).extend(said),
  FeedbackWord.pick({ type: true, remarkId: true, actor: true, verdict: true, cause: true, reason: true }).extend(said),
]);
export type Remark = z.infer<typeof Remark>;

/** An incident with what people have said of it, oldest first. */
export const IncidentView = Incident.extend({ remarks: z.array(Remark) });
export type IncidentView = z.infer<typeof IncidentView>;
