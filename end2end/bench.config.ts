import config from './playwright.config';

/** Measurements, which `make bench` prints. */
export default { ...config, testDir: 'bench', projects: config.projects?.slice(0, 1) };
