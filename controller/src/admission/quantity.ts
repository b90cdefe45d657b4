/**
 * Kubernetes quantities of CPU and memory: `250m`, `0.5`, `64Mi`, `1G`, `1e9` (apimachinery resource.Quantity).
 * Held exactly, in thousandths of the unit, so that any two can be compared.
 */
export type Resource = "cpu" | "memory";

const DECIMAL = ["", "k", "M", "G", "T", "P", "E"];
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const FORM = /^\+?(\d{1,22})(?:\.(\d{1,9}))?(?:[eE]([+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i))?$/;
const SMALL: Readonly<Record<string, bigint>> = { n: 1_000_000_000n, u: 1_000_000n, m: 1_000n };
/** More the API server does not hold: it stores this instead (resource.Quantity's maxAllowed). */
const MOST = (1n << 63n) - 1n;

const EXPECTED = {
  cpu: "cores, for example 250m, 0.5 or 2",
  memory: "bytes, for example 64Mi, 500M or 1Gi",
} as const;

/** In thousandths of a core or of a byte; an Error says what is wrong and what was expected. */
export function parseQuantity(resource: Resource, text: string): bigint | Error {
  const wrong = (why: string) => new Error(`${why}: expected ${EXPECTED[resource]}`);
  const fraction = fractionOf(text);
  if (!fraction) return wrong("it is not a quantity");
  const [numerator, denominator] = fraction;
  if (numerator === 0n) return wrong("it is zero");
  if (numerator % (denominator * finest(resource)) !== 0n)
    return wrong(
      resource === "cpu" ? "it is finer than 1m" : "it is not a whole number of bytes (m is milli)",
    );
  return numerator / denominator;
}

/**
 * Their sum, as the API server writes it; what is finer than it accounts for is rounded up. Unlike what a sidecar is to
 * have, either may be zero. An Error says what is wrong with the first.
 */
export function addQuantities(resource: Resource, text: string, more: string): string | Error {
  const [one, other] = [fractionOf(text), fractionOf(more)];
  if (!one || !other) return new Error(`it is not a quantity: expected ${EXPECTED[resource]}`);
  const numerator = one[0] * other[1] + other[0] * one[1];
  const unit = one[1] * other[1] * finest(resource);
  const sum = ((numerator + unit - 1n) / unit) * finest(resource);
  return sum > MOST * 1_000n
    ? new Error("it is more than the API server can hold")
    : formatQuantity(resource, sum);
}

/** In thousandths: nothing is finer than a thousandth of a core, or a byte. */
function finest(resource: Resource): bigint {
  return resource === "cpu" ? 1n : 1_000n;
}

/** Of thousandths, numerator and denominator. */
function fractionOf(text: string): [bigint, bigint] | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const [, whole = "", fraction = "", exponent, suffix = ""] = match;
  const [scale, divisor] = multiplier(exponent, suffix);
  return [BigInt(whole + fraction) * scale * 1_000n, 10n ** BigInt(fraction.length) * divisor];
}

/** The factor as numerator and denominator. */
function multiplier(exponent: string | undefined, suffix: string): [bigint, bigint] {
  if (exponent !== undefined) {
    const power = 10n ** BigInt(Math.abs(Number(exponent)));
    return Number(exponent) < 0 ? [1n, power] : [power, 1n];
  }
  const small = SMALL[suffix];
  if (small) return [1n, small];
  return suffix.endsWith("i")
    ? [1_024n ** BigInt(BINARY.indexOf(suffix)), 1n]
    : [1_000n ** BigInt(DECIMAL.indexOf(suffix)), 1n];
}

/**
 * As the API server writes it (resource.Quantity's canonical form): no fraction, the largest suffix that leaves a whole
 * number, so that `0.5` cores are `500m` and `1024Mi` is `1Gi`. What we write is then stored as it was written.
 */
export function formatQuantity(resource: Resource, thousandths: bigint): string {
  if (resource === "cpu") return suffixed(thousandths, 1_000n, ["m", ...DECIMAL]);
  const bytes = thousandths / 1_000n;
  return bytes % 1_024n === 0n ? suffixed(bytes, 1_024n, BINARY) : suffixed(bytes, 1_000n, DECIMAL);
}

function suffixed(
  value: bigint,
  step: bigint,
  [suffix = "", ...larger]: readonly string[],
): string {
  return larger.length > 0 && value % step === 0n
    ? suffixed(value / step, step, larger)
    : `${value}${suffix}`;
}
