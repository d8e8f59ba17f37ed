package io.holdfast.core.sys;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * Paths that the kernel tells, as {@link Path}s of the very same bytes: {@code Path.of} takes text,
 * and refuses in the locale C what is not ASCII, and everywhere what is not UTF-8.
 */
public final class KernelPath {
    private static final Path ROOT = Path.of("/");

    private KernelPath() {}

    /**
     * The path whose bytes the text stands for, as {@link Unistd#readlinkat} gives it. It opens
     * what it names in every locale; its own {@code toString} says no more than the locale can.
     */
    public static Path of(String text) {
        byte[] bytes = CString.encode(text);
        if (isAscii(bytes)) {
            return Path.of(text);
        }
        // a file URI is the one way to a Path by bytes
        boolean absolute = text.startsWith("/");
        StringBuilder uri = new StringBuilder(absolute ? "file://" : "file:///");
        for (byte b : bytes) {
            if (b == '/') {
                uri.append('/');
            } else {
                uri.append('%').append(HexFormat.of().withUpperCase().toHexDigits(b));
            }
        }
        Path path = Path.of(URI.create(uri.toString()));
        return absolute ? path : ROOT.relativize(path);
    }

    /** The text that stands for the bytes of a path in every locale: what {@link #of} takes. */
    public static String text(Path path) {
        String text = path.toString();
        if (text.chars().allMatch(c -> c < 0x80)) {
            return text;
        }
        String uri = path.toUri().getRawPath(); // the one way to the bytes of a Path
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(uri.length());
        for (int i = 0; i < uri.length(); i++) {
            if (uri.charAt(i) == '%') {
                bytes.write(HexFormat.fromHexDigits(uri, i + 1, i + 3));
                i += 2;
            } else {
                bytes.write(uri.charAt(i));
            }
        }
        String absolute = CString.decode(bytes.toByteArray());
        return absolute.endsWith("/") && absolute.length() > 1
                ? absolute.substring(0, absolute.length() - 1)
                : absolute;
    }

    private static boolean isAscii(byte[] bytes) {
        for (byte b : bytes) {
            if (b < 0) {
                return false;
            }
        }
        return true;
    }
}
