// Keyboard shortcuts, as on other video pages. Keys with Ctrl, Alt or Meta, and keys that the focused element uses itself,
// are ignored.

const STEP_S = 5;
const VOLUME_STEP = 0.1;

export function listenToKeys(controls) {
  const actions = {
    " ": () => controls.togglePlay(),
    k: () => controls.togglePlay(),
    m: () => controls.toggleMute(),
    f: () => controls.toggleFullscreen(),
    i: () => controls.togglePip(),
    l: () => controls.goLive(),
    q: () => controls.menu.toggle(),
    ArrowLeft: () => controls.seekBy(-STEP_S),
    ArrowRight: () => controls.seekBy(STEP_S),
    ArrowUp: () => controls.changeVolume(VOLUME_STEP),
    ArrowDown: () => controls.changeVolume(-VOLUME_STEP),
    Escape: () => controls.menu.close(),
  };
  document.addEventListener("keydown", (event) => {
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || event.ctrlKey || event.altKey || event.metaKey || isUsedByTarget(event)) return;
    event.preventDefault();
    action();
  });
}

/** Whether the focused element uses the key itself: arrows on a slider, space on a button or summary. */
function isUsedByTarget({ key, target }) {
  if (target.matches("input")) return key.startsWith("Arrow");
  return key === " " && target.matches("button, summary");
}
