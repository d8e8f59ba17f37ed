package io.holdfast.authority.action;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class CataloguesTest {
    private static final Map<String, String> GERMAN =
            new TreeMap<>(
                    Map.of(
                            "",
                            "Content-Type: text/plain; charset=UTF-8\n",
                            "colour",
                            "Farbe",
                            "day\0days",
                            "Tag\0Tage",
                            "size",
                            "Größe",
                            "untranslated",
                            ""));

    @TempDir private Path folder;

    /** Makes a catalogue as msgfmt writes it. */
    private static byte[] catalogue(
            Map<String, String> messages, ByteOrder order, Charset charset) {
        List<byte[]> texts =
                Stream.concat(messages.keySet().stream(), messages.values().stream())
                        .map(text -> text.getBytes(charset))
                        .toList();
        int start = 28 + 8 * texts.size();
        int size = start + texts.stream().mapToInt(text -> text.length + 1).sum();
        ByteBuffer file = ByteBuffer.allocate(size).order(order);
        file.putInt(0x950412de).putInt(0).putInt(messages.size());
        file.putInt(28).putInt(28 + 8 * messages.size()).putInt(0).putInt(0);
        int at = start;
        for (byte[] text : texts) {
            file.putInt(text.length).putInt(at);
            at += text.length + 1;
        }
        for (byte[] text : texts) {
            file.put(text).put((byte) 0);
        }
        return file.array();
    }

    private void write(String locale, byte[] bytes) throws IOException {
        Path messages = Files.createDirectories(folder.resolve(locale).resolve("LC_MESSAGES"));
        Files.write(messages.resolve("shop.mo"), bytes);
    }

    private Optional<String> translation(String locale, String message) {
        return new Catalogues(folder).translation("shop", locale, message);
    }

    @Test
    void messagesAreTranslatedForTheNearestLocale() throws IOException {
        write("de", catalogue(GERMAN, ByteOrder.LITTLE_ENDIAN, UTF_8));
        write(
                "de_AT",
                catalogue(new TreeMap<>(Map.of("colour", "Farb")), ByteOrder.BIG_ENDIAN, UTF_8));
        assertThat(translation("de", "colour")).contains("Farbe");
        assertThat(translation("de_AT.UTF-8", "colour")).contains("Farb");
        assertThat(translation("de_AT.UTF-8", "size")).contains("Größe");
        assertThat(translation("de", "day")).contains("Tag");
        assertThat(translation("de", "untranslated")).isEmpty();
        assertThat(translation("de", "")).isEmpty();
        assertThat(translation("fr", "colour")).isEmpty();
    }

    @Test
    void aCatalogueMayHaveACharacterSetOfItsOwn() throws IOException {
        Map<String, String> messages = new TreeMap<>(GERMAN);
        messages.put("", "Content-Type: text/plain; charset=ISO-8859-1\n");
        write("de", catalogue(messages, ByteOrder.LITTLE_ENDIAN, ISO_8859_1));
        assertThat(translation("de", "size")).contains("Größe");
        messages.put("", "Content-Type: text/plain; charset=NONE-SUCH\n");
        write("de", catalogue(messages, ByteOrder.LITTLE_ENDIAN, ISO_8859_1));
        assertThat(translation("de", "size")).isEmpty();
    }

    @Test
    void aTextIsTranslatedByItsCatalogueFirst() throws IOException {
        write("de", catalogue(GERMAN, ByteOrder.LITTLE_ENDIAN, UTF_8));
        Catalogues catalogues = new Catalogues(folder);
        LocalizedText text =
                new LocalizedText(
                        "colour", Map.of("de", "Ton", "fr", "couleur"), Optional.of("shop"));
        assertThat(text.in("de_DE", catalogues)).isEqualTo("Farbe");
        assertThat(text.in("fr", catalogues)).isEqualTo("couleur");
        assertThat(text.in("", catalogues)).isEqualTo("colour");
    }

    @ParameterizedTest
    @ValueSource(strings = {"..", "../de", "/de", "de/../de", ".", "de\0", "d e", ".de"})
    void noLocaleLeadsOutOfTheFolder(String locale) throws IOException {
        write("de", catalogue(GERMAN, ByteOrder.LITTLE_ENDIAN, UTF_8));
        Catalogues inside = new Catalogues(folder.resolve("de"));
        assertThat(inside.translation("shop", locale, "colour")).isEmpty();
        assertThat(new Catalogues(folder).translation(locale, "de", "colour")).isEmpty();
        assertThat(translation(locale, "colour")).isEmpty();
    }

    @Test
    void soManyCataloguesAreKept() {
        Catalogues catalogues = new Catalogues(folder);
        for (int i = 0; i <= Catalogues.MAX_KEPT; i++) {
            assertThat(catalogues.translation("shop", "l" + i, "colour")).isEmpty();
        }
        assertThat(catalogues.size()).isEqualTo(Catalogues.MAX_KEPT);
    }

    @Test
    void allCataloguesTogetherAreBoundedInMemory() throws IOException {
        Map<String, String> messages = new TreeMap<>(Map.of("colour", "Farbe"));
        for (int i = 0; i < 1000; i++) {
            messages.put("message " + i, "Nachricht " + i);
        }
        byte[] catalogue = catalogue(messages, ByteOrder.LITTLE_ENDIAN, UTF_8);
        long limit = 1 << 20;
        Catalogues catalogues = new Catalogues(folder, limit);
        for (int i = 0; i < 32; i++) {
            write("l" + i, catalogue);
            assertThat(catalogues.translation("shop", "l" + i, "colour")).contains("Farbe");
            assertThat(catalogues.bytes()).isBetween(catalogue.length * 1L, limit);
        }
        assertThat(catalogues.size()).isBetween(2, 31);
        assertThat(catalogues.translation("shop", "l0", "colour")).contains("Farbe");
    }

    @Test
    void aCatalogueThatExceedsTheLimitIsCachedAlone() throws IOException {
        write("de", catalogue(GERMAN, ByteOrder.LITTLE_ENDIAN, UTF_8));
        write("fr", catalogue(GERMAN, ByteOrder.LITTLE_ENDIAN, UTF_8));
        Catalogues catalogues = new Catalogues(folder, 1);
        assertThat(catalogues.translation("shop", "de", "colour")).contains("Farbe");
        assertThat(catalogues.translation("shop", "fr", "colour")).contains("Farbe");
        assertThat(catalogues.size()).isEqualTo(1);
    }

    @Test
    void aCatalogueMayBeAsLargeAsItsLimit() throws IOException {
        byte[] bytes = catalogue(GERMAN, ByteOrder.LITTLE_ENDIAN, UTF_8);
        write("de", Arrays.copyOf(bytes, Catalogues.MAX_FILE_SIZE));
        write("fr", Arrays.copyOf(bytes, Catalogues.MAX_FILE_SIZE + 1));
        assertThat(translation("de", "colour")).contains("Farbe");
        assertThat(translation("fr", "colour")).isEmpty();
    }

    @Test
    void textsThatLieOverEachOtherAreNotCopiedForEver() {
        ByteBuffer file = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
        file.putInt(0x950412de).putInt(0).putInt(100_000).putInt(28).putInt(28);
        for (int i = 0; i < 100_000; i++) {
            file.putInt(28 + 8 * i, 1 << 19).putInt(32 + 8 * i, i);
        }
        assertThat(Catalogue.read(file.array())).isEmpty();
    }

    @Test
    void cataloguesOfThisMachineAreRead() {
        Path german = Path.of("/usr/share/locale/de/LC_MESSAGES/accounts-service.mo");
        assumeTrue(Files.isReadable(german), "no catalogue of accountsservice here");
        LocalizedText text =
                new LocalizedText(
                        "Change your own user data", Map.of(), Optional.of("accounts-service"));
        assertThat(text.in("de_DE.UTF-8")).isNotEqualTo(text.untranslated());
    }
}
