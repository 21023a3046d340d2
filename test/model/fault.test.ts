import { expect, test } from 'vitest';
import { faultTable } from '../../model/fault-table.ts';
import { Fault, type FaultCode, type FaultRow } from '../../model/fault.ts';

test('a fault says what happened and what to do, filled from its details', () => {
  const fault = new Fault('WIRE_TIMEOUT', { address: '10.0.0.7:4001', deadlineMs: 3_000 });
  expect(fault.message).toBe('10.0.0.7:4001 did not answer within 3000 ms');
  expect(fault.class).toBe('world');
  expect(fault.whatToDo).toBe(faultTable.WIRE_TIMEOUT.whatToDo);
  expect(fault).toBeInstanceOf(Error);
});

test('a detail that is not there reads as a question mark, never as undefined', () => {
  expect(new Fault('JOURNAL_CORRUPT', { segment: 'a', cause: null }).message).toBe(
    'segment a is damaged from byte ? (?)',
  );
});

test('its plain form survives JSON and keeps the cause apart', () => {
  const cause = new Error('ENOSPC');
  const fault = new Fault('JOURNAL_WRITE', { cause: 'ENOSPC' }, { cause });
  expect(fault.cause).toBe(cause);
  expect(JSON.parse(JSON.stringify(fault))).toEqual({
    code: 'JOURNAL_WRITE',
    class: 'world',
    message: 'the journal could not write (ENOSPC)',
    whatToDo: faultTable.JOURNAL_WRITE.whatToDo,
    details: { cause: 'ENOSPC' },
  });
});

test.each(Object.entries(faultTable) as [FaultCode, FaultRow][])('%s is whole', (code, row) => {
  expect(code).toMatch(/^[A-Z]+(_[A-Z0-9]+)+$/);
  expect(['person', 'world', 'programmer']).toContain(row.class);
  expect(row.message).toMatch(/^[^A-Z{\s]|^\{/);
  expect(row.message).not.toMatch(/[.!]$/);
  // A refusal brings its own sentence with it.
  expect(row.whatToDo).toMatch(/^[A-Z].*[.]$|^\{next\}$/s);
  // The text of a fault never asks for who the patient is.
  expect(`${row.message} ${row.whatToDo}`).not.toMatch(/\{(patient|mrn|name of patient|birthDate)\}/);
});
