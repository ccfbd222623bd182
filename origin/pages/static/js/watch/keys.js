// Keyboard control, as other video pages have it. Keys with Ctrl, Alt or Meta, or with a use where they are, are left.

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
    if (!action || event.ctrlKey || event.altKey || event.metaKey || isForTarget(event)) return;
    event.preventDefault();
    action();
  });
}

/** Whether the focused element has its own use for the key: a slider its arrows, a button or summary its space bar. */
function isForTarget({ key, target }) {
  if (target.matches("input")) return key.startsWith("Arrow");
  return key === " " && target.matches("button, summary");
}
