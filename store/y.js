import { x } from "../hex/ids.js";
export const y = x;
//# sourceMappingURL=y.js.map
