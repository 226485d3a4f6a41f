/** Which release of the client this is: apart from the service's own. */
export const VERSION = "1.0.0";
