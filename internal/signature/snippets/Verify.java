import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public final class Verify {
    private Verify() {}

    /**
     * Returns the webhook-id of a request that can be trusted, otherwise null. The three texts are the headers webhook-id,
     * webhook-timestamp and webhook-signature, null when one is missing; the body is byte for byte as it came, before
     * anything parses it (Spring: @RequestBody byte[]). A webhook may come twice: keep the ids that you have handled, and
     * answer 200 to one that you know.
     */
    public static String verify(String secret, String id, String timestamp, String signatures, byte[] body)
            throws GeneralSecurityException {
        byte[] key = Base64.getDecoder().decode(secret.replaceFirst("^whsec_", ""));
        if (id == null || timestamp == null || signatures == null || key.length == 0) {
            return null;
        }
        try {
            long now = Instant.now().getEpochSecond();
            long second = Long.parseLong(timestamp);
            if (second < now - 5 * 60 || second > now + 5 * 60) {
                return null;
            }
        } catch (NumberFormatException e) {
            return null;
        }
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
        byte[] expected = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body))).getBytes(StandardCharsets.UTF_8);
        for (String given : signatures.split(" ")) { // several while a secret is replaced
            if (MessageDigest.isEqual(given.getBytes(StandardCharsets.UTF_8), expected)) {
                return id;
            }
        }
        return null;
    }
}
