/** Which microphone, speaker and ringing device this person chose on this computer, in order of preference. */

export type DeviceKind = "microphone" | "speaker" | "ring";

const MOST = 5;
const key = (kind: DeviceKind) => `device-${kind}`;

export function remembered(kind: DeviceKind): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key(kind)) ?? "[]");
    return Array.isArray(stored) ? stored.filter((id) => typeof id === "string") : [];
  } catch {
    return []; // somebody else's words under our key
  }
}

export function remember(kind: DeviceKind, id: string): void {
  const ids = [id, ...remembered(kind).filter((other) => other !== id)].slice(0, MOST);
  localStorage.setItem(key(kind), JSON.stringify(ids));
}

/** The first remembered one that is there, else the first there is; "" where there is none. */
export function best(there: readonly { deviceId: string }[], wanted: readonly string[]): string {
  return wanted.find((id) => there.some((device) => device.deviceId === id)) ?? there[0]?.deviceId ?? "";
}

export async function list(kind: MediaDeviceKind): Promise<MediaDeviceInfo[]> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return all.filter((device) => device.kind === kind && device.deviceId !== "");
}
