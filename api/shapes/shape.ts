import Type, { type Static, type TProperties, type TSchema } from 'typebox';

/** An object with exactly these fields: one more is refused on the way in and is our error on the way out. */
export const record = <P extends TProperties>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

/** One of these words. */
export const words = <const W extends readonly string[]>(list: W, description?: string) =>
  Type.Unsafe<W[number]>(Type.Enum([...list], description === undefined ? {} : { description }));

/**
 * Holds a schema to the model's type: a field that one has and the other lacks is a compile error here, so that a
 * new field in the model cannot become a refused response at run time.
 */
export const shape =
  <T>() =>
  <S extends TSchema>(schema: S & Agree<Plain<T>, Plain<Static<S>>>) =>
    Type.Unsafe<T>(schema as TSchema);

type Plain<T> = T extends readonly (infer E)[]
  ? Plain<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Plain<T[K]> }
    : T;
type Same<A, B> = (<G>() => G extends A ? 1 : 2) extends <G>() => G extends B ? 1 : 2 ? true : false;
type Agree<A, B> =
  Same<A, B> extends true ? unknown : { readonly differs: { readonly model: A; readonly schema: B } };

/** Any JSON: settings a driver's own schema describes. Still never a NaN (compilers.ts). */
export const openShape = 'x-open';
export const open = <T = unknown>() => Type.Unsafe<T>({ [openShape]: true });

export const atMs = () => Type.Number({ minimum: 0, maximum: 8.64e15, description: 'ms since 1970 UTC' });
/** An id that nobody reads anything into. */
export const OpaqueId = Type.String({ pattern: '^[A-Za-z0-9._:-]{1,128}$' });
export const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });

/** A page of a list; `next` is the cursor of the following one, absent at the end. */
export const pageOf = <T>(item: TSchema & { '~unsafe'?: T }) =>
  Type.Unsafe<{ items: readonly T[]; next?: string }>(
    record({ items: Type.Array(item), next: Type.Optional(Type.String()) }),
  );

export const PageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: 'Items a page, default 200.' }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 512, description: '`next` of the page before.' })),
};
