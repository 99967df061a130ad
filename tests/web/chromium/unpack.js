/** Unpacks the package's Chromium into the temporary directory. */

import chromium from '@sparticuz/chromium';

await chromium.executablePath();
