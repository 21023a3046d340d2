/** A domain refusal in words: what happened, and what the person does next. The word itself is for programs. */
export interface OutcomeWords {
  readonly says: string;
  readonly whatToDo: string;
}

const words = (says: string, whatToDo: string): OutcomeWords => ({ says, whatToDo });

/** Every word a service may refuse with; one that is not here is answered in general words. */
export const outcomes: Readonly<Record<string, OutcomeWords>> = {
  // beds, stays and patients
  'bed-taken': words(
    'the bed is occupied by another stay',
    'Name another bed, or transfer or discharge the stay that is there first.',
  ),
  'same-patient': words('both are the same patient already', 'Nothing is left to do.'),
  'merged-already': words(
    'this patient was merged into another one already',
    'Take that merge back first (POST /api/v1/patients/{id}/unmerge), or merge the other one.',
  ),
  'not-merged': words('this patient was not merged', 'Nothing is left to take back.'),
  // associations
  'device-taken': words(
    'the device serves somebody already',
    'End its open association first (POST /api/v1/associations/{id}/end), then begin the new one.',
  ),
  'encounter-ended': words(
    'the stay has been discharged',
    'Admit the patient again, or enter an association that is over with its end.',
  ),
  'encounter-needed': words(
    'the bed is occupied and no stay was named',
    'Name the stay whose values these are; if the patient is another, not yet known one, send unknownPatient: true.',
  ),
  overlap: words(
    'the device served somebody else for part of that time',
    'Correct the other association of that device first; GET /api/v1/associations?device= lists them.',
  ),
  'end-before-begin': words('it would end before it begins', 'Give an end at or after the begin.'),
  future: words('that instant is still to come', 'Give an instant that is past.'),
  unchanged: words('begin and end are so already', 'Nothing is left to correct.'),
  'too-many-corrections': words(
    'the association has been corrected too often',
    'End it and begin a new one; the auditor sees all corrections.',
  ),
  // charting by hand
  'not-there-then': words(
    'the patient was not there at that time',
    'Check the time of the measurement against the stay; then send it again.',
  ),
  'not-recorded': words(
    'the value could not be kept now',
    'Write it on paper and chart it again when health is green.',
  ),
  'not-charted': words(
    'the value was not charted by hand',
    'What a device said is not rewritten; chart what is true beside it.',
  ),
  // devices and people
  'id-taken': words(
    'there is one with this id already',
    'Choose another id, or leave it out to be given one.',
  ),
  'in-use': words(
    'the device serves a patient now',
    'End its association first (POST /api/v1/associations/{id}/end).',
  ),
  'too-many': words('there are as many as there may be', 'Take away what is no longer used, then try again.'),
  'speaks-itself': words(
    'the device has no driver: it speaks the device contract itself',
    'Look at its health (GET /api/v1/devices/{id}/health) and its newest values.',
  ),
  'host-away': words(
    'the driver host of the device does not answer',
    'Start the driver host, or wait until GET /health shows it; then try again.',
  ),
  'user-taken': words('there is a person with this user name already', 'Choose another user name.'),
  'password-weak': words(
    'the password is too weak',
    'Choose a longer one that is no common password and not the user name.',
  ),
  closed: words('the first administrator was made already', 'Sign in, or ask an administrator.'),
  'token-wrong': words('the token is not the one printed at start', 'Copy the token from the newest start.'),
  'token-expired': words('the token is too old', 'Start Vigil again: a new token is printed.'),
  // alarms
  gone: words('the alarm has ended', 'Nothing is left to do for it.'),
  changed: words(
    'the alarm has changed since you saw it',
    'Look at it again and decide anew, with its newest version.',
  ),
  'not-allowed': words(
    'this alarm does not allow that',
    'See docs/alarms.md for who may do what to which alarm.',
  ),
  'cannot-ring': words(
    'the handheld of that person cannot ring now',
    'Choose somebody whose handheld can ring (GET /api/v1/handhelds).',
  ),
  // people
  'already-on': words('you are on shift already', 'End that shift first, or go on with it.'),
  'handheld-taken': words(
    'somebody else is on shift with this handheld',
    'Take another handheld, or let the charge nurse end the shift that was forgotten.',
  ),
  'beds-held': words(
    'you still have beds',
    'Hand them over first; or send keepBeds: true, then their alarms ring at the next level at once.',
  ),
  'nobody-else': words(
    'nobody else has this bed',
    'The next nurse takes the bed first; an assignment never ends without one.',
  ),
  'not-yours': words('it is not yours', 'The person it belongs to does it, or the charge nurse.'),
  'not-named': words('somebody else was asked', 'Only the one who was named accepts.'),
  oneself: words('nobody covers for themselves', 'Name a colleague.'),
  'too-long': words('that is too long', 'Ask for less.'),
  'already-asked': words('your beds are covered, or somebody was asked', 'End that cover first.'),
  'already-testing': words('the bed is in test mode', 'End it first (DELETE /api/v1/alarms/test/{bed}).'),
  incomplete: words(
    'parts of the score are missing or too old',
    'Measure or chart what `missing` and `old` name, then confirm the new set.',
  ),
  'score-refused': words(
    'this score is not for this patient',
    'See `refused`: NEWS2 is not given under 16 and in pregnancy.',
  ),
  ended: words('it has ended already', 'Nothing is left to end; a wrong end can be corrected.'),
};

const general = words('the state is another one by now', 'Read the present state again and decide anew.');

export const wordsOf = (outcome: string): OutcomeWords =>
  Object.hasOwn(outcomes, outcome) ? (outcomes[outcome] ?? general) : general;
