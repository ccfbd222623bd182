// The frame around the picture: its aspect ratio, the spinner, and controls that hide while the viewer does nothing.

const IDLE_MS = 3000;
const SPINNER_AFTER_MS = 400;
/** The screens that may show the last picture. */
const WITH_STILL = ["error", "loading", "playing", "starting"];

export class Stage {
  #stage;
  #video;
  #still;
  #idle = 0;
  #spin = 0;

  /** `still` is a canvas for the last picture, while the video has none. */
  constructor(stage, video, still) {
    this.#stage = stage;
    this.#video = video;
    this.#still = still;
    video.addEventListener("loadeddata", () => this.#dropStill());
    for (const event of ["pointermove", "pointerdown", "keydown", "focusin"])
      stage.addEventListener(event, () => this.wake());
    stage.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.#hideControls());
    for (const event of ["waiting", "stalled", "playing", "canplay", "pause", "play", "emptied", "timeupdate"]) {
      video.addEventListener(event, () => this.#updateSpinner());
    }
    video.addEventListener("resize", () => this.#fit());
    document.addEventListener("keydown", () => this.wake());
    if (window.self !== window.top) document.documentElement.classList.add("embedded");
  }

  show(screen) {
    if (this.#stage.dataset.screen === screen) return;
    this.#stage.dataset.screen = screen;
    if (!WITH_STILL.includes(screen)) this.#dropStill();
    this.#updatePictured();
    this.#updateSpinner();
    this.wake();
  }

  set audioOnly(value) {
    this.#stage.toggleAttribute("data-audio", value);
  }

  /** Keep the picture on the stage while the video is unloaded, until there is another one. */
  keepPicture() {
    const { readyState, videoWidth, videoHeight } = this.#video;
    if (readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !videoWidth) return;
    Object.assign(this.#still, { width: videoWidth, height: videoHeight, hidden: false });
    this.#still.getContext("2d").drawImage(this.#video, 0, 0);
    this.#updatePictured();
  }

  #dropStill() {
    this.#still.hidden = true;
    this.#updatePictured();
  }

  /** The class `pictured`: there is a picture, of the video or the last one. */
  #updatePictured() {
    const decoded = this.#video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && this.#video.videoWidth > 0;
    this.#stage.classList.toggle("pictured", decoded || !this.#still.hidden);
  }

  /** Show the controls, and hide them again after IDLE_MS without input. */
  wake() {
    this.#stage.classList.remove("resting");
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#hideControls(), IDLE_MS);
  }

  #hideControls() {
    const busy = this.#stage.querySelector('[aria-expanded="true"], .controls :focus-visible');
    if (!this.#video.paused && !busy) this.#stage.classList.add("resting");
  }

  #updateSpinner() {
    const late = !this.#video.paused && this.#video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    if (late && !this.#spin) {
      this.#spin = setTimeout(() => this.#stage.classList.add("spinning"), SPINNER_AFTER_MS);
    } else if (!late) {
      clearTimeout(this.#spin);
      this.#spin = 0;
      this.#stage.classList.remove("spinning");
    }
  }

  #fit() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (width && height) this.#stage.style.setProperty("--ratio", String(width / height));
  }
}
