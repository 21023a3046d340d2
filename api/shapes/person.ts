import Type from 'typebox';
import { IdSchema } from '../../model/ids.ts';
import { roles, type Person } from '../../model/person.ts';
import { record, shape, text, words } from './shape.ts';

export const RoleShape = words(roles);
export const WardsShape = Type.Union([Type.Array(IdSchema, { maxItems: 1000 }), Type.Literal('all')]);

export const UserShape = Type.String({ pattern: '^[A-Za-z0-9._@-]{1,64}$' });
export const PasswordShape = Type.String({ minLength: 1, maxLength: 256 });
export const NameShape = text(128);

export const PersonShape = shape<Person>()(
  record({
    id: Type.String(),
    user: Type.String(),
    name: Type.String(),
    roles: Type.Array(RoleShape),
    wards: Type.Union([Type.Array(Type.String()), Type.Literal('all')]),
  }),
);
