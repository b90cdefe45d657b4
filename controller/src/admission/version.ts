/** The version of what is injected: the images' default tag, and what a pod's status says. */
export const VERSION = "0.1.0";
