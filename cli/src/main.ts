import { demo } from "./demo/command.ts";
import { inject } from "./inject/command.ts";

const HELP = `sallyport: the guarded gate by which connections leave a pod

  sallyport demo [-- CMD…]     a sidecar at work in a minute, without a cluster
  sallyport inject -f FILE|-   put the sidecar into manifests, offline
  sallyport COMMAND --help     what a command takes
`;

const USAGE = 2;

async function main([command, ...args]: readonly string[]): Promise<number> {
  switch (command) {
    case "demo":
      return demo(args, console.log);
    case "inject":
      return inject(args, process);
    case undefined:
    case "help":
    case "--help":
    case "-h":
      console.log(HELP.trimEnd());
      return command === undefined ? USAGE : 0;
    default:
      console.error(`"${command}" is no command; see sallyport --help`);
      return USAGE;
  }
}

// Whoever reads may stop reading (`sallyport demo | head`); what was begun is still brought to its end.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: Error) => {
    console.error(error.message);
    const usage = "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
    process.exitCode = usage ? USAGE : 1;
  },
);
