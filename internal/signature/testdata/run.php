<?php

// Has the code for PHP judge the requests on the standard input.
require __DIR__ . '/verify.php';

while (($line = fgets(STDIN)) !== false) {
    [$secret, $id, $timestamp, $signature, $body] = array_map('base64_decode', explode("\t", rtrim($line, "\n")));
    $server = array_filter(
        ['HTTP_WEBHOOK_ID' => $id, 'HTTP_WEBHOOK_TIMESTAMP' => $timestamp, 'HTTP_WEBHOOK_SIGNATURE' => $signature],
        fn ($value) => $value !== '',
    );
    $got = verify($secret, $server, $body);
    echo $got !== null && $got === $id ? "true\n" : "false\n";
}
