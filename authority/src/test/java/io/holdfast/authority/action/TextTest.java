package io.holdfast.authority.action;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextTest {
    private static final LocalizedText TEXT =
            new LocalizedText(
                    "color",
                    Map.of("en_GB", "colour", "de", "Farbe", "sr@latin", "boja", "sr", "боја"),
                    Optional.empty());

    @ParameterizedTest
    @CsvSource({
        "'', color",
        "C, color",
        "en, color",
        "en_GB, colour",
        "en_GB.UTF-8, colour",
        "en_US.UTF-8, color",
        "de, Farbe",
        "de_AT, Farbe",
        "de_AT.UTF-8@euro, Farbe",
        "sr_RS@latin, boja",
        "sr_RS.UTF-8, боја",
        "DE, color",
        "_@., color",
    })
    void theNearestTranslationIsTaken(String locale, String text) {
        assertThat(TEXT.in(locale)).isEqualTo(text);
    }

    @Test
    void variantsAreTriedFromTheNearestOn() {
        assertThat(LocalizedText.variants("de_AT.UTF-8@euro"))
                .containsExactly(
                        "de_AT.UTF-8@euro",
                        "de_AT@euro",
                        "de.UTF-8@euro",
                        "de@euro",
                        "de_AT.UTF-8",
                        "de_AT",
                        "de.UTF-8",
                        "de");
    }

    @Test
    void withoutATranslationItStandsAsItIs() {
        assertThat(LocalizedText.of("x").in("de")).isEqualTo("x");
        assertThat(LocalizedText.EMPTY.in("de")).isEmpty();
    }
}
