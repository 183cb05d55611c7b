import { randomUUID } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** The demo that the tests drive. It has hosts, a port and a directory of its own, so that another demo can run beside it. */
export const demo = {
  url: 'http://127.0.0.1:18080',
  network: '127.0.77.0',
  dir: join(tmpdir(), `vmferry-browser-${userInfo().uid}`),
  user: 'admin',
  /** One password a run: Playwright's workers read this file again, and inherit the environment. */
  password: (process.env.VMFERRY_ADMIN_PASSWORD ??= randomUUID()),
  /** The hosts' URIs for virsh. */
  hosts: {
    alpha: 'qemu+tcp://127.0.77.2/session',
    beta: 'qemu+tcp://127.0.77.3/session',
    gamma: 'qemu+tcp://127.0.77.4/session',
    /** Not registered until a user adds it. */
    delta: 'qemu+tcp://127.0.77.5/session',
  },
};
