// The page of a VM's screen: noVNC over the terminal's stream.

import { RFB } from '/vendor/novnc.js';
import { keyBar, Link } from '/terminal/link.js';

// Keysyms of X11 (keysymdef.h).
const KEYSYMS = {
  Escape: 0xff1b,
  Tab: 0xff09,
  Enter: 0xff0d,
  Backspace: 0xff08,
  ArrowLeft: 0xff51,
  ArrowUp: 0xff52,
  ArrowRight: 0xff53,
  ArrowDown: 0xff54,
};
const CONTROL_LEFT = 0xffe3;

const box = document.querySelector('#terminal');
const passwordForm = document.querySelector('#password-form');
let rfb;
let channel;

/** What noVNC takes for its WebSocket: only the bytes of one. */
class Channel {
  binaryType = 'arraybuffer';
  protocol = '';
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;

  constructor(socket) {
    this.socket = socket;
  }

  get readyState() {
    return this.socket.readyState;
  }

  send(bytes) {
    link.send(bytes);
  }

  close() {
    // The link closes and opens its streams itself.
  }
}

const link = new Link('screen', {
  connected() {
    close();
    channel = new Channel(link.socket);
    rfb = new RFB(box, channel);
    rfb.scaleViewport = true;
    rfb.background = '#10191c';
    rfb.addEventListener('credentialsrequired', () => {
      passwordForm.hidden = false;
      passwordForm.querySelector('input').focus();
    });
    // Only what is connected can be disconnected.
    const opened = rfb;
    rfb.addEventListener('disconnect', () => opened === rfb && (rfb = undefined));
    rfb.addEventListener('securityfailure', ({ detail }) => link.say(`The VNC server refused the login: ${detail.reason ?? 'no reason given'}.`));
    rfb.focus();
  },
  bytes: (data) => channel?.onmessage?.({ data }),
  closed: () => channel?.onclose?.({ code: 1000, reason: '', wasClean: true }),
});

/** Takes the picture of an earlier stream away. */
function close() {
  passwordForm.hidden = true;
  rfb?.disconnect();
  rfb = undefined;
  box.replaceChildren();
}

passwordForm.addEventListener('submit', (event) => {
  event.preventDefault();
  const input = passwordForm.querySelector('input');
  rfb.sendCredentials({ password: input.value });
  input.value = '';
  passwordForm.hidden = true;
});

const isCtrl = keyBar((key) => press(KEYSYMS[key]));
document.querySelector('#ctrl-alt-del').addEventListener('click', () => rfb?.sendCtrlAltDel());

/** A phone's keyboard gives text, no keys: each character is pressed as it comes. */
const typed = document.querySelector('#typed');
typed.addEventListener('input', ({ data, inputType }) => {
  if (inputType === 'deleteContentBackward') press(KEYSYMS.Backspace);
  for (const character of data ?? '') press(keysym(character.codePointAt(0)));
  typed.value = '';
});
typed.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  press(KEYSYMS.Enter);
});

function press(symbol) {
  const withCtrl = isCtrl();
  if (withCtrl) rfb?.sendKey(CONTROL_LEFT, 'ControlLeft', true);
  rfb?.sendKey(symbol, null);
  if (withCtrl) rfb?.sendKey(CONTROL_LEFT, 'ControlLeft', false);
}

/** Latin 1 is itself; others are Unicode's number and a mark. */
function keysym(codePoint) {
  return codePoint < 0x100 ? codePoint : 0x1000000 | codePoint;
}
