import config from './playwright.config';

/** What is measured, not tested: `make bench` prints it. */
export default { ...config, testDir: 'bench', projects: config.projects?.slice(0, 1) };
