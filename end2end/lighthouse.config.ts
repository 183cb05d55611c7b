import config from './playwright.config';

/** Lighthouse on every page of the demo, as a phone. */
export default { ...config, testDir: 'lighthouse', timeout: 900_000, projects: config.projects?.slice(0, 1) };
