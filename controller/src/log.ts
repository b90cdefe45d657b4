import winston from "winston";

export const LEVELS = ["error", "warn", "info", "debug"] as const;
export type Level = (typeof LEVELS)[number];

export type Log = (level: Level, message: string, more?: Readonly<Record<string, unknown>>) => void;

/** JSON lines on standard output: time, level, message, and what belongs to it. */
export function createLog(least: Level): Log {
  const logger = winston.createLogger({
    level: least,
    format: winston.format.combine(
      winston.format((info) => ({ time: new Date().toISOString(), ...info }))(),
      winston.format.json(),
    ),
    transports: [new winston.transports.Console()],
  });
  return (level, message, more) => {
    logger.log({ ...more, level, message });
  };
}
