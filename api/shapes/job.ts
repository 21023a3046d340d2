import Type from 'typebox';
import { jobStates, type Job } from '../../model/job.ts';
import { FaultShape } from './device.ts';
import { atMs, open, record, words } from './shape.ts';

export const JobShape = Type.Unsafe<Job>(
  record({
    id: Type.String(),
    kind: Type.String(),
    by: Type.String(),
    state: words(jobStates),
    progress: Type.Number({ minimum: 0, maximum: 1 }),
    says: Type.String(),
    startedAtMs: atMs(),
    endedAtMs: Type.Optional(atMs()),
    result: Type.Optional(open()),
    fault: Type.Optional(FaultShape),
  }),
);
