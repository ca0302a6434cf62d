// Has the code for Java judge the requests on the standard input.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

public final class Run {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] field = line.split("\t", -1);
            String id = text(field[1]);
            byte[] body = Base64.getDecoder().decode(field[4]);
            String secret = text(field[0]);
            String got = Verify.verify(secret == null ? "" : secret, id, text(field[2]), text(field[3]), body);
            System.out.println(got != null && got.equals(id));
        }
    }

    private static String text(String field) {
        return field.isEmpty() ? null : new String(Base64.getDecoder().decode(field), StandardCharsets.UTF_8);
    }
}
