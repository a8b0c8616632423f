/** A port with some of its methods replaced; the others are those of the port itself. */
export function altered<T extends object>(port: T, changes: Partial<T>): T {
  return new Proxy(port, {
    get: (of, name) => {
      const method: unknown = Reflect.get(name in changes ? changes : of, name);
      return typeof method === 'function' ? (method.bind(of) as unknown) : method;
    },
  });
}
