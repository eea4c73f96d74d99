// What scenarios/checks.py is to the Python clients.

const { CONFORMANCE_URL, CONFORMANCE_KEY, CONFORMANCE_OTHER_KEY } = process.env;
export const [URL, KEY, OTHER_KEY] = [CONFORMANCE_URL, CONFORMANCE_KEY, CONFORMANCE_OTHER_KEY];

export const PAIRS = [["spring", "summer"], ["summer", "autumn"], ["autumn", "winter"], ["winter", "spring"]];
export const LONG = 1000;

const checks = [];

/** The function covers `method`: a row of the conformance table. */
export function check(method, covers) {
  checks.push([method, covers]);
}

/** Runs all checks in order and prints a line of JSON for each. */
export async function run() {
  for (const [method, covers] of checks) {
    let problem = "";
    try {
      await covers();
    } catch (error) {
      problem = String(error?.stack ?? error);
    }
    console.log(JSON.stringify({ method, problem }));
  }
}

/** What `condition` returns once that is true. */
export async function waitUntil(condition, seconds = 90) {
  const until = Date.now() + 1000 * seconds;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > until) throw new Error(`waited ${seconds} s in vain`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
