// The entry point of the watch page: creates its parts and connects them.

import { setText } from "../dom.js";
import { AUDIO } from "../engines/engine.js";
import { choosePlayer, loadEngine } from "../engines/index.js";
import { About } from "./about.js";
import { Controls } from "./controls.js";
import { Facts, observe } from "./facts.js";
import { listenToKeys } from "./keys.js";
import { readOptions } from "./options.js";
import { Panel } from "./panel.js";
import { Reporter } from "./reporter.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { StatusPoller } from "./status.js";
import { Toast } from "./toast.js";

const TICK_MS = 500;
const PHONE = window.matchMedia("(max-width: 36rem) and (orientation: portrait)");

const byId = (id) => document.getElementById(id);
const options = readOptions(window.location);
const video = byId("video");
const player = choosePlayer(options.player);
const poller = new StatusPoller(options.stream, options.token);
video.muted = options.muted;

const session = new Session({ options, player, video, poller });
const stage = new Stage(byId("stage"), video, byId("still"));
const panel = new Panel(byId("panel"));
const about = new About({ title: byId("title"), summary: byId("summary"), share: byId("share") });
const controls = new Controls({
  session,
  video,
  stage: byId("stage"),
  bar: byId("controls"),
  unmute: byId("unmute"),
});
const state = observe(session, video);
const facts = new Facts(byId("facts"), state, session);
const notice = byId("notice");
const toast = new Toast(byId("toast"));
window.headwater = state;
new Reporter(session, video);

/** Whether only audio plays: the viewer chose it, or the broadcaster sends no video. */
function hasNoPicture() {
  const decoding = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
  return session.engine?.playing?.id === AUDIO || (decoding && video.videoWidth === 0);
}

function update() {
  const title = session.status?.title || options.stream;
  document.title = `${session.onAir ? "● " : ""}${title}`;
  about.update(session, title);
  stage.show(session.screen);
  stage.audioOnly = hasNoPicture();
  panel.update(session, title);
  setText(notice, "A new broadcast is on air: watch it");
  notice.hidden = !session.offer;
  if (byId("details").open) facts.update();
}

/** A click on the picture pauses. A tap only shows the controls, which Stage does. */
function onPictureClick(event) {
  if (session.screen === "playing" && event.pointerType !== "touch") controls.togglePlay();
}

session.addEventListener("change", update);
session.addEventListener("interrupt", () => stage.keepPicture());
session.addEventListener("skip", () => toast.show("That part is no longer available. Playback continues at the earliest that is."));
notice.addEventListener("click", () => session.watchLive());
video.addEventListener("click", onPictureClick);
video.addEventListener("dblclick", () => controls.toggleFullscreen());
byId("details").open = PHONE.matches;
byId("details").addEventListener("toggle", () => facts.update());
setInterval(() => {
  controls.update();
  stage.audioOnly = hasNoPicture();
  if (byId("details").open) facts.update();
}, TICK_MS);
listenToKeys(controls);

// Load the player's script while the status is requested. An error is handled later, when the player is needed.
loadEngine(player).catch(() => {});
poller.refresh();
