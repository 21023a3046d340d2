import { faultTable, type FaultClass, type FaultCode } from './fault-table.ts';

export interface FaultDetails {
  readonly [name: string]: string | number | boolean | null | undefined;
}

/** An error of ours or of the wire, with a code from `fault-table.ts`. Never holds patient data. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly details: FaultDetails;

  constructor(code: FaultCode, details: FaultDetails = {}, options?: { cause?: unknown }) {
    super(fill(faultTable[code].message, details), options);
    this.name = 'Fault';
    this.code = code;
    this.details = details;
  }

  get class(): FaultClass {
    return faultTable[this.code].class;
  }

  get whatToDo(): string {
    return fill(faultTable[this.code].whatToDo, this.details);
  }

  /** The plain form for health pages, logs and messages between threads. */
  toJSON(): FaultReport {
    return {
      code: this.code,
      class: this.class,
      message: this.message,
      whatToDo: this.whatToDo,
      details: this.details,
    };
  }
}

export interface FaultReport {
  readonly code: string;
  readonly class: FaultClass;
  readonly message: string;
  readonly whatToDo: string;
  readonly details: FaultDetails;
}

const fill = (text: string, details: FaultDetails): string =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? '?'));

export type { FaultClass, FaultCode, FaultRow } from './fault-table.ts';
