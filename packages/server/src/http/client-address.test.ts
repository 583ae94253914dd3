import { describe, expect, it } from 'vitest'
import { createClientAddresses, networkOf } from './client-address.js'

const request = (remoteAddress: string, forwarded?: string) => ({
  socket: { remoteAddress },
  headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
})

describe('the address of a client', () => {
  it.each([
    [[], '9.9.9.9', '1.1.1.1', '9.9.9.9'],
    [['10.0.0.1'], '10.0.0.1', '1.1.1.1', '1.1.1.1'],
    [['10.0.0.1'], '::ffff:10.0.0.1', '1.1.1.1', '1.1.1.1'],
    [['10.0.0.1'], '10.0.0.1', undefined, '10.0.0.1'],
    [['10.0.0.1'], '9.9.9.9', '1.1.1.1', '9.9.9.9'],
    // What a client writes into the header itself stands to the left of what the proxy appends.
    [['10.0.0.1'], '10.0.0.1', '6.6.6.6, 1.1.1.1', '1.1.1.1'],
    [['10.0.0.0/8'], '10.0.0.1', '6.6.6.6, 1.1.1.1, 10.2.3.4', '1.1.1.1'],
    [['10.0.0.0/8', '1.1.1.1'], '10.0.0.1', '6.6.6.6,1.1.1.1', '6.6.6.6'],
    [['10.0.0.1'], '10.0.0.1', 'unknown', '10.0.0.1'],
    [['10.0.0.1'], '10.0.0.1', '1.1.1.1, rubbish', '10.0.0.1'],
    [['fd00::/8'], 'fd00::1', '2001:db8::5', '2001:db8::5'],
  ])('with proxies %j is, from %s with %j, %s', (trusted, remote, forwarded, expected) => {
    expect(createClientAddresses(trusted).of(request(remote, forwarded))).toBe(expected)
  })

  it.each(['proxy.example', '10.0.0.1/33', '10.0.0.1/x', '', '10.0.0/8'])(
    'is not asked from %j, which is no address',
    (entry) => {
      expect(() => createClientAddresses([entry])).toThrow(
        expect.objectContaining({ code: 'proxy-invalid' }),
      )
    },
  )

  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [undefined, ''],
  ])('%s counts as %s', (address, expected) => {
    expect(networkOf(address)).toBe(expected)
  })
})
