package io.holdfast.journal.compression;

import static io.holdfast.core.sys.Library.call;

import io.holdfast.core.sys.Libc.Function;
import io.holdfast.core.sys.Library;
import io.holdfast.journal.format.Bytes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A compression algorithm of journal files. The first use loads the library of the system; a failed
 * load is remembered. Thread-safe.
 *
 * <p>The formats: XZ is one .xz stream. LZ4 is the decompressed size in 8 bytes and one raw block.
 * ZSTD is one frame that states its decompressed size.
 */
public enum Codec {
    XZ("liblzma.so.5", "liblzma5", "lzma_stream_buffer_decode"),
    LZ4("liblz4.so.1", "liblz4-1", "LZ4_decompress_safe"),
    ZSTD(
            "libzstd.so.1",
            "libzstd1",
            "ZSTD_decompress",
            "ZSTD_getFrameContentSize",
            "ZSTD_compress",
            "ZSTD_isError");

    private static final int LZMA_OK = 0;
    private static final int LZMA_BUF_ERROR = 10;
    private static final long LZMA_MEMORY = 64 << 20;
    private static final int ZSTD_LEVEL = 3;

    private final String library;
    private final String debianPackage;
    private final String[] names;
    private volatile Function @Nullable [] functions;
    private volatile @Nullable String problem;

    Codec(String library, String debianPackage, String... names) {
        this.library = library;
        this.debianPackage = debianPackage;
        this.names = names;
    }

    private Function[] functions() throws CodecException {
        Function[] known = functions;
        if (known != null) {
            return known;
        }
        String failure = problem;
        if (failure != null) {
            throw new CodecException(failure);
        }
        try {
            Library loaded = new Library(library);
            known = Stream.of(names).map(loaded::function).toArray(Function[]::new);
        } catch (IllegalArgumentException e) {
            failure =
                    "the library %s is missing or too old; install Debian's package %s"
                            .formatted(library, debianPackage);
            problem = failure;
            throw new CodecException(failure);
        }
        functions = known;
        return known;
    }

    /**
     * Loads the library.
     *
     * @throws CodecException if that is not possible
     */
    public void require() throws CodecException {
        var _ = functions();
    }

    /**
     * Decompresses a part of an array.
     *
     * @param limit the largest permitted result; no more memory is used for it
     * @throws CodecException if the data is damaged, its result is larger than the limit, or the
     *     library is missing
     */
    public byte[] decompress(byte[] bytes, int from, int length, int limit) throws CodecException {
        Function[] function = functions();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = arena.allocate(Math.max(length, 1), 8);
            MemorySegment.copy(bytes, from, source, ValueLayout.JAVA_BYTE, 0, length);
            return switch (this) {
                case ZSTD -> {
                    long size = call(function[1], source.address(), length, 0, 0, 0, 0);
                    MemorySegment result = allocate(arena, size, limit);
                    yield taken(
                            result,
                            size,
                            call(
                                    function[0],
                                    result.address(),
                                    size,
                                    source.address(),
                                    length,
                                    0,
                                    0));
                }
                case LZ4 -> {
                    if (length < 8) {
                        throw damaged();
                    }
                    long size = Bytes.getLong(bytes, from);
                    MemorySegment result = allocate(arena, size, limit);
                    int n =
                            (int)
                                    call(
                                            function[0],
                                            source.address() + 8,
                                            result.address(),
                                            length - 8,
                                            size,
                                            0,
                                            0);
                    yield taken(result, size, n);
                }
                case XZ -> unxz(function[0], arena, source, length, limit);
            };
        }
    }

    private MemorySegment allocate(Arena arena, long size, int limit) throws CodecException {
        if (size < 0) { // the frame does not state it, or is none
            throw damaged();
        }
        if (size > limit) {
            throw tooLarge(size, limit);
        }
        return arena.allocate(Math.max(size, 1), 8);
    }

    private byte[] taken(MemorySegment result, long size, long written) throws CodecException {
        if (written != size) {
            throw damaged();
        }
        return result.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE);
    }

    /** The stream does not state its size: the result grows until it fits. */
    private byte[] unxz(Function decode, Arena arena, MemorySegment source, int length, int limit)
            throws CodecException {
        MemorySegment positions = arena.allocate(24, 8); // the memory limit, read, written
        for (long room = Math.clamp(length * 4L, 1024, limit); ; room = Math.min(room * 4, limit)) {
            try (Arena attempt = Arena.ofConfined()) {
                MemorySegment result = attempt.allocate(Math.max(room, 1), 8);
                positions.set(ValueLayout.JAVA_LONG, 0, LZMA_MEMORY);
                positions.set(ValueLayout.JAVA_LONG, 8, 0);
                positions.set(ValueLayout.JAVA_LONG, 16, 0);
                int status =
                        (int)
                                call(
                                        decode,
                                        positions.address(),
                                        0,
                                        0,
                                        source.address(),
                                        positions.address() + 8,
                                        length,
                                        result.address(),
                                        positions.address() + 16,
                                        room);
                long written = positions.get(ValueLayout.JAVA_LONG, 16);
                if (status == LZMA_OK) {
                    return result.asSlice(0, written).toArray(ValueLayout.JAVA_BYTE);
                }
                if (status != LZMA_BUF_ERROR) {
                    throw damaged();
                }
                if (room >= limit) {
                    throw tooLarge(room, limit);
                }
            }
        }
    }

    /**
     * Compresses an array with ZSTD.
     *
     * @return the compressed bytes; null if they would not be fewer
     * @throws CodecException if the library is missing
     */
    public static byte @Nullable [] zstd(byte[] bytes, int from, int length) throws CodecException {
        Function[] function = ZSTD.functions();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = arena.allocate(Math.max(length, 1), 8);
            MemorySegment.copy(bytes, from, source, ValueLayout.JAVA_BYTE, 0, length);
            MemorySegment result = arena.allocate(Math.max(length, 1), 8);
            long n =
                    call(
                            function[2],
                            result.address(),
                            length - 1,
                            source.address(),
                            length,
                            ZSTD_LEVEL,
                            0);
            if ((int) call(function[3], n, 0, 0, 0, 0, 0) != 0) {
                return null; // it does not fit
            }
            return result.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private CodecException damaged() {
        return new CodecException("the " + name().toLowerCase(Locale.ROOT) + " data is damaged");
    }

    private static CodecException tooLarge(long size, int limit) {
        return new CodecException(
                "the decompressed data has "
                        + Long.toUnsignedString(size)
                        + " bytes or more, and the limit is "
                        + limit);
    }
}
