<?php

/**
 * Returns the webhook-id of a request that can be trusted, otherwise null: verify($secret, $_SERVER, file_get_contents('php://input')).
 * The body is byte for byte as it came, before anything parses it. A webhook may come twice: keep the ids that you have handled, and
 * answer 200 to one that you know.
 */
function verify(string $secret, array $server, string $body): ?string
{
    $id = $server['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $server['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    $signatures = $server['HTTP_WEBHOOK_SIGNATURE'] ?? '';
    if ($id === '' || !preg_match('/^\d+$/', $timestamp) || abs(time() - (int) $timestamp) > 5 * 60) {
        return null;
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
    if (!$key) {
        return null;
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    foreach (explode(' ', $signatures) as $given) { // several while a secret is replaced
        if (hash_equals($expected, $given)) {
            return $id;
        }
    }
    return null;
}
