/** Said in the README, at sign-in, in the API's description and in /health. */
export const intendedUse =
  'A supplemental alarm and data system; the bedside device stays the primary alarm; Vigil only reads from devices; ' +
  'not a registered medical device, not for patient care until registered or validated under the hospital’s responsibility.';
