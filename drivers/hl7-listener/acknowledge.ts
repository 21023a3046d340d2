import { fieldOf, writeMessage, type Hl7Message, type Segment } from '../../model/hl7/message.ts';

export type Verdict = 'taken' | 'refused' | 'failed';

/**
 * The answers to a message, in their order. Original mode: AA, AE, AR. Enhanced mode (MSH-15 or MSH-16 says something): a
 * commit answer CA, CE, CR and an application answer, each as asked for (HL7 2.6 2.9). `refused`: of a type that is not read.
 */
export function answersTo(
  message: Hl7Message,
  { verdict, stamp, id }: { verdict: Verdict; stamp: string; id: string },
): string[] {
  const msh = message.segments[0];
  const accept = fieldOf(msh, 15).trim().toUpperCase();
  const application = fieldOf(msh, 16).trim().toUpperCase();
  const letter = verdict === 'taken' ? 'A' : verdict === 'failed' ? 'E' : 'R';
  const wants = (asked: string): boolean =>
    asked === 'AL' || (asked === 'SU' && letter === 'A') || (asked === 'ER' && letter !== 'A');
  const codes: string[] = [];
  if (accept === '' && application === '') codes.push(`A${letter}`);
  if (wants(accept)) codes.push(`C${letter}`);
  if (wants(application)) codes.push(`A${letter}`);
  return codes.map((code, index) =>
    answer(message, { code, stamp, id: index === 0 ? id : `${id}-${index}` }),
  );
}

function answer(
  { segments, delimiters }: Hl7Message,
  { code, stamp, id }: { code: string; stamp: string; id: string },
): string {
  const msh = segments[0];
  const trigger = fieldOf(msh, 9).split(delimiters.component)[1] ?? '';
  const { component, repetition, escape, subcomponent } = delimiters;
  // Our answer is UTF-8; in ASCII alone it is in the sender's own charset too.
  const names = [3, 4, 5, 6].map((number) => fieldOf(msh, number)).join('');
  const charset = /^[ -~]*$/.test(names) ? fieldOf(msh, 18) : 'UNICODE UTF-8';
  const head: Segment = {
    name: 'MSH',
    fields: [
      'MSH',
      delimiters.field,
      component + repetition + escape + subcomponent,
      fieldOf(msh, 5) || 'VIGIL',
      fieldOf(msh, 6),
      fieldOf(msh, 3),
      fieldOf(msh, 4),
      stamp,
      '',
      `ACK${component}${trigger}${component}ACK`,
      id,
      fieldOf(msh, 11) || 'P',
      fieldOf(msh, 12) || '2.6',
      '',
      '',
      '',
      '',
      '',
      charset,
    ],
  };
  // The control id goes back as it came: the sender compares bytes.
  const verdict: Segment = { name: 'MSA', fields: ['MSA', code, fieldOf(msh, 10)] };
  return writeMessage({ delimiters, segments: [head, verdict] });
}
