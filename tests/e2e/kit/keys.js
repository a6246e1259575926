// SPDX-License-Identifier: Apache-2.0
/*
 * Raw Ed25519 and X25519 keys on node:crypto, which only speaks DER and JWK.
 * A key pair here is { key: KeyObject, publicKey: 32-byte Buffer }.
 * Read next: handshake99.js.
 */
import crypto from 'node:crypto';

// RFC 8410: what stands before the 32 raw bytes in PKCS#8 and SubjectPublicKeyInfo.
const pkcs8 = {
	ed25519: Buffer.from('302e020100300506032b657004220420', 'hex'),
	x25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
};
const spki = {
	ed25519: Buffer.from('302a300506032b6570032100', 'hex'),
	x25519: Buffer.from('302a300506032b656e032100', 'hex'),
};

function privateKey(kind, raw) {
	return crypto.createPrivateKey({ key: Buffer.concat([pkcs8[kind], raw]), format: 'der', type: 'pkcs8' });
}

function publicKey(kind, raw) {
	return crypto.createPublicKey({ key: Buffer.concat([spki[kind], raw]), format: 'der', type: 'spki' });
}

function keyPair(kind, raw) {
	const key = privateKey(kind, raw);
	const der = crypto.createPublicKey(key).export({ format: 'der', type: 'spki' });
	return { key, publicKey: der.subarray(-32) };
}

export function ed25519Pair(seed = crypto.randomBytes(32)) {
	return keyPair('ed25519', seed);
}

export function x25519Pair(raw = crypto.randomBytes(32)) {
	return keyPair('x25519', raw);
}

export function sign(pair, message) {
	return crypto.sign(null, message, pair.key);
}

export function verify(publicRaw, message, signature) {
	return crypto.verify(null, message, publicKey('ed25519', publicRaw), signature);
}

export function diffieHellman(pair, publicRaw) {
	return crypto.diffieHellman({ privateKey: pair.key, publicKey: publicKey('x25519', publicRaw) });
}
