/** A host of a real lab. */
export interface RealHost {
  name: string;
  address: string;
}
