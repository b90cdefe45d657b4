import type { Container, Pod } from "./pod.ts";

/** A ConfigMap as a container sees it. */
export interface ConfigMapMount {
  /** Where its keys are, one file each. */
  readonly folder: string;
  readonly mountPath: string;
  /** From the path below `mountPath` to the key. */
  readonly files: readonly (readonly [path: string, key: string])[];
}

/** Mount points can be made here alone: everywhere else they would be made on this machine. */
const FURNISHED = "/opt/";

/**
 * What a container mounts; `configMaps` gives the folder of each by its name. Volumes of any other kind, and parts of
 * volumes, cannot be played and say so.
 */
export function configMapMounts(
  { spec }: Pod,
  { name: container, volumeMounts = [] }: Container,
  configMaps: Readonly<Record<string, string>>,
): ConfigMapMount[] {
  return volumeMounts.map(({ name, mountPath, subPath }) => {
    const cannot = (why: string) =>
      new Error(`container ${container}: cannot mount volume ${name} here: ${why}`);
    const source = spec.volumes?.find((volume) => volume.name === name)?.configMap;
    if (!source) throw cannot("only ConfigMaps are played");
    const folder = configMaps[source.name];
    if (folder === undefined) throw cannot(`there is no ConfigMap ${source.name}`);
    if (!mountPath.startsWith(FURNISHED)) throw cannot(`${mountPath} is not in ${FURNISHED}`);
    if (subPath || !source.items) throw cannot("only the items of a whole volume are played");
    return { folder, mountPath, files: source.items.map(({ key, path }) => [path, key] as const) };
  });
}

/**
 * The commands that mount it, read-only, as the kubelet lays it out: each path is a link to its key in `..data`, so that
 * what changes in the folder changes here.
 */
export function mountCommands({ folder, mountPath, files }: ConfigMapMount): string[] {
  const data = `${mountPath}/..data`;
  return [
    `mkdir -p ${quoted(mountPath)}`,
    `mount -t tmpfs -o size=1m,mode=755 tmpfs ${quoted(mountPath)}`,
    `mkdir ${quoted(data)}`,
    `mount --bind ${quoted(folder)} ${quoted(data)}`,
    `mount -o remount,bind,ro ${quoted(data)}`,
    ...files.map(
      ([path, key]) => `ln -s ${quoted(`${data}/${key}`)} ${quoted(`${mountPath}/${path}`)}`,
    ),
    `mount -o remount,ro ${quoted(mountPath)}`,
  ];
}

/** For the shell, whatever is in it (POSIX.1-2017, 2.2.2). */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
