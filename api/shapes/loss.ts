import Type from 'typebox';
import type { LossCell, LossItem } from '../services.ts';
import { atMs, record } from './shape.ts';

const count = () => Type.Integer({ minimum: 0 });

export const LossItemShape = Type.Unsafe<LossItem>(
  record({
    number: count(),
    atMs: atMs(),
    device: Type.String({ description: '`*` = all or unknown' }),
    metric: Type.String({ description: '`*` = all or unknown' }),
    fromMs: atMs(),
    toMs: atMs(),
    observations: Type.Integer({ minimum: 0, description: '0 when nobody can know' }),
    why: Type.String(),
    class: Type.Optional(Type.String()),
    sinks: Type.Optional(Type.Array(Type.String())),
  }),
);

export const LossCellShape = Type.Unsafe<LossCell>(
  record({
    device: Type.String(),
    fromMs: atMs(),
    received: count(),
    kept: count(),
    stowed: count(),
    ledgered: count(),
    quarantined: count(),
    duplicate: count(),
    historical: record({ kept: count(), duplicate: count() }),
  }),
);
