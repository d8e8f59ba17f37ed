package io.holdfast.core.sys;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * Converts the kernel's paths to {@link Path}s of the same bytes, and back. {@code Path.of} takes
 * text instead, and refuses text that is not ASCII in the locale C, and not UTF-8 in any locale.
 */
public final class KernelPath {
    private static final Path ROOT = Path.of("/");

    private KernelPath() {}

    /**
     * Returns the path of the bytes that a text stands for, as {@link Unistd#readlinkat} returns
     * it. The path opens the right file in every locale; its {@code toString} shows only the
     * characters that the locale supports.
     */
    public static Path of(String text) {
        if (isAscii(text)) {
            return Path.of(text);
        }
        byte[] bytes = CString.encode(text);
        // a file URI is the only way to make a Path from bytes
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

    /** Returns the text for the bytes of a path, the same in every locale, as {@link #of} takes. */
    public static String text(Path path) {
        String text = path.toString();
        if (isAscii(text)) {
            return text;
        }
        // the only way to the bytes of a Path; toUri would prepend the directory to a relative one
        String uri = ROOT.resolve(path).toUri().getRawPath();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(uri.length());
        for (int i = 0; i < uri.length(); i++) {
            if (uri.charAt(i) == '%') {
                bytes.write(HexFormat.fromHexDigits(uri, i + 1, i + 3));
                i += 2;
            } else {
                bytes.write(uri.charAt(i));
            }
        }
        String decoded = CString.decode(bytes.toByteArray());
        int end = decoded.length() - (decoded.endsWith("/") ? 1 : 0); // as that of a directory does
        return decoded.substring(path.isAbsolute() ? 0 : 1, end);
    }

    private static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }
}
