import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.ar.ArabicAnalyzer;
import org.apache.lucene.analysis.bg.BulgarianAnalyzer;
import org.apache.lucene.analysis.bn.BengaliAnalyzer;
import org.apache.lucene.analysis.br.BrazilianAnalyzer;
import org.apache.lucene.analysis.ca.CatalanAnalyzer;
import org.apache.lucene.analysis.cjk.CJKAnalyzer;
import org.apache.lucene.analysis.ckb.SoraniAnalyzer;
import org.apache.lucene.analysis.cz.CzechAnalyzer;
import org.apache.lucene.analysis.da.DanishAnalyzer;
import org.apache.lucene.analysis.de.GermanAnalyzer;
import org.apache.lucene.analysis.el.GreekAnalyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.es.SpanishAnalyzer;
import org.apache.lucene.analysis.et.EstonianAnalyzer;
import org.apache.lucene.analysis.eu.BasqueAnalyzer;
import org.apache.lucene.analysis.fa.PersianAnalyzer;
import org.apache.lucene.analysis.fi.FinnishAnalyzer;
import org.apache.lucene.analysis.fr.FrenchAnalyzer;
import org.apache.lucene.analysis.ga.IrishAnalyzer;
import org.apache.lucene.analysis.gl.GalicianAnalyzer;
import org.apache.lucene.analysis.hi.HindiAnalyzer;
import org.apache.lucene.analysis.hu.HungarianAnalyzer;
import org.apache.lucene.analysis.hy.ArmenianAnalyzer;
import org.apache.lucene.analysis.id.IndonesianAnalyzer;
import org.apache.lucene.analysis.it.ItalianAnalyzer;
import org.apache.lucene.analysis.lt.LithuanianAnalyzer;
import org.apache.lucene.analysis.lv.LatvianAnalyzer;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.nl.DutchAnalyzer;
import org.apache.lucene.analysis.no.NorwegianAnalyzer;
import org.apache.lucene.analysis.pt.PortugueseAnalyzer;
import org.apache.lucene.analysis.ro.RomanianAnalyzer;
import org.apache.lucene.analysis.ru.RussianAnalyzer;
import org.apache.lucene.analysis.sr.SerbianAnalyzer;
import org.apache.lucene.analysis.sv.SwedishAnalyzer;
import org.apache.lucene.analysis.th.ThaiAnalyzer;
import org.apache.lucene.analysis.tr.TurkishAnalyzer;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.AnalyzerScope;
import org.elasticsearch.index.analysis.PreBuiltAnalyzerProvider;
import org.elasticsearch.index.analysis.PreConfiguredTokenFilter;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;

/**
 * The official distribution brings its language analyzers in a module of which no jar is published.
 * They are Lucene's, which is among the server's own jars: this registers them under their usual names.
 */
public final class LanguageAnalyzers extends Plugin implements AnalysisPlugin {
  private record Language(String name, Supplier<Analyzer> analyzer) {}

  private static final List<Language> LANGUAGES = List.of(
    new Language("arabic", ArabicAnalyzer::new),
    new Language("armenian", ArmenianAnalyzer::new),
    new Language("basque", BasqueAnalyzer::new),
    new Language("bengali", BengaliAnalyzer::new),
    new Language("brazilian", BrazilianAnalyzer::new),
    new Language("bulgarian", BulgarianAnalyzer::new),
    new Language("catalan", CatalanAnalyzer::new),
    new Language("cjk", CJKAnalyzer::new),
    new Language("czech", CzechAnalyzer::new),
    new Language("danish", DanishAnalyzer::new),
    new Language("dutch", DutchAnalyzer::new),
    new Language("english", EnglishAnalyzer::new),
    new Language("estonian", EstonianAnalyzer::new),
    new Language("finnish", FinnishAnalyzer::new),
    new Language("french", FrenchAnalyzer::new),
    new Language("galician", GalicianAnalyzer::new),
    new Language("german", GermanAnalyzer::new),
    new Language("greek", GreekAnalyzer::new),
    new Language("hindi", HindiAnalyzer::new),
    new Language("hungarian", HungarianAnalyzer::new),
    new Language("indonesian", IndonesianAnalyzer::new),
    new Language("irish", IrishAnalyzer::new),
    new Language("italian", ItalianAnalyzer::new),
    new Language("latvian", LatvianAnalyzer::new),
    new Language("lithuanian", LithuanianAnalyzer::new),
    new Language("norwegian", NorwegianAnalyzer::new),
    new Language("persian", PersianAnalyzer::new),
    new Language("portuguese", PortugueseAnalyzer::new),
    new Language("romanian", RomanianAnalyzer::new),
    new Language("russian", RussianAnalyzer::new),
    new Language("serbian", SerbianAnalyzer::new),
    new Language("sorani", SoraniAnalyzer::new),
    new Language("spanish", SpanishAnalyzer::new),
    new Language("swedish", SwedishAnalyzer::new),
    new Language("thai", ThaiAnalyzer::new),
    new Language("turkish", TurkishAnalyzer::new));

  @Override
  public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
    return LANGUAGES.stream().collect(Collectors.toMap(Language::name, LanguageAnalyzers::provider));
  }

  private static AnalysisProvider<AnalyzerProvider<? extends Analyzer>> provider(Language language) {
    return (indexSettings, environment, name, settings) ->
      new PreBuiltAnalyzerProvider(name, AnalyzerScope.GLOBAL, language.analyzer().get());
  }

  @Override
  public List<PreConfiguredTokenFilter> getPreConfiguredTokenFilters() {
    return List.of(PreConfiguredTokenFilter.singleton("asciifolding", true, ASCIIFoldingFilter::new));
  }
}
