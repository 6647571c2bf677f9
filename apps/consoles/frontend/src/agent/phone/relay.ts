/** Can sound be relayed where nothing but TLS leaves the building? Asked before the first call needs it. */

const LONGEST_MS = 5_000;

const isRelay = (url: string) => /^turns?:/.test(url);

/** "" where there is no TURN server at all. */
export async function lookForRelay(servers: RTCIceServer[]): Promise<"" | "ok" | "bad"> {
  const relays = servers.filter((server) => [server.urls].flat().some(isRelay));
  if (relays.length === 0) return "";
  const connection = new RTCPeerConnection({ iceServers: relays, iceTransportPolicy: "relay" });
  try {
    const found = new Promise<boolean>((settle) => {
      connection.onicecandidate = ({ candidate }) => {
        if (candidate?.type === "relay") settle(true);
        else if (candidate === null) settle(false);
      };
      setTimeout(() => settle(false), LONGEST_MS);
    });
    connection.createDataChannel("");
    await connection.setLocalDescription(await connection.createOffer());
    return (await found) ? "ok" : "bad";
  } finally {
    connection.close();
  }
}
