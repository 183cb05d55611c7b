import config from './playwright.config';

/** Pictures of every page, for people to look at. */
export default { ...config, testDir: 'screenshots', timeout: 900_000, projects: config.projects?.slice(0, 1) };
