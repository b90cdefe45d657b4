import { parseArgs } from "node:util";
import { BadInput, type Io, print, run, STATUS } from "./io.ts";
import { junitOf } from "./junit.ts";
import { jsonOf, tapOf, textOf } from "./test-formats.ts";
import { type Result, runSuite } from "./test-run.ts";
import { readSuites } from "./test-suites.ts";

const HELP = `sallyport test: cases that rules must hold, for a person and for CI

  sallyport test FILE|FOLDER|- …

  -o, --output FORMAT   text, tap, junit or json
  -h, --help

  # cases.yaml
  rules: [rules.yaml]                       # files and folders beside this one, or objects written out
  pod: { namespace: shop, labels: { app: web } }
  answers: { api.example.com: [93.184.215.14] }
  cases:
    - name: the API is reachable
      connect: api.example.com:443          # TLS on 443, HTTP on 80; protocol: says otherwise
      expect: allow
    - connect: 169.254.169.254:80
      expect: deny
      reason: denied.no_rule

A host without an answer is taken to resolve to a public address. docs/reference/policy-tests.md has every field.

Exit status: 0 every case holds; 1 one does not; 2 the arguments or the files are wrong, or there is no case.
`;

const FORMATS: Readonly<Record<string, (results: readonly Result[]) => string[]>> = {
  text: textOf,
  tap: tapOf,
  junit: junitOf,
  json: jsonOf,
};

export function testCommand(args: readonly string[], io: Io): Promise<number> {
  return run("test", io, async () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        output: { type: "string", short: "o", default: "text" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      await print(io.stdout, [HELP.trimEnd()]);
      return STATUS.holds;
    }
    const format = Object.hasOwn(FORMATS, values.output) ? FORMATS[values.output] : undefined;
    const mistakes = [
      ...(format ? [] : [`--output ${values.output}: expected ${Object.keys(FORMATS).join(", ")}`]),
      ...(positionals.length > 0 ? [] : ["which cases? a file, a folder, or - for standard input"]),
    ];
    if (!format || mistakes.length > 0) throw new BadInput(mistakes);
    const results = (await readSuites(positionals, io)).flatMap(runSuite);
    await print(io.stdout, format(results));
    return results.every(({ failure }) => failure === undefined) ? STATUS.holds : STATUS.fails;
  });
}
