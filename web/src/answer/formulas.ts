/** The formulas of an answer, by KaTeX: loaded when the first one comes. */

import 'katex/dist/katex.min.css'
import { createMathPlugin } from '@streamdown/math'

export const math = createMathPlugin({ errorColor: 'inherit' })
