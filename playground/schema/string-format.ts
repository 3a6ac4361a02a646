const formats: Record<string, RegExp> = {
  'date-time': /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}([.,]\d+)?([Zz]|[+-]\d{2}:?\d{2})$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  byte: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  ipv4: /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/,
  ipv6: /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/,
  uuid: /^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$/,
  mac: /^(?:[0-9a-fA-F]{2}[:.-]?){5}[0-9a-fA-F]{2}$/,
  duration: /^(?:\d+(?:\.\d+)?\s*(?:ns|us|µs|ms|s|m|h|d|w|nanoseconds?|microseconds?|milliseconds?|seconds?|minutes?|hours?|days?|weeks?)\s*)+$|^0$/,
}

/** Whether `value` has one of the formats that the server checks; one that it does not know, it does not check. */
export function hasFormat(value: string, format: string): boolean {
  if (format === 'date-time' || format === 'date') return (formats[format] as RegExp).test(value) && !Number.isNaN(Date.parse(value.slice(0, 10)))
  return (Object.hasOwn(formats, format) ? formats[format] : undefined)?.test(value) ?? true
}
