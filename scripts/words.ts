/** A word or phrase that the text of this repository does not use. */
export interface Rule {
  /** A space matches any white space, also a line break. Words are complete: `mend` does not match "amend". */
  find: RegExp;
  /** What to write instead. */
  use: string;
  /** Longer phrases in which it is allowed. */
  except?: RegExp;
  /** The paths it applies to; all when undefined. */
  paths?: RegExp;
}

/** Undo, rollback, and the states of a run. */
const rollback: readonly Rule[] = [
  { find: /(takes?|taken|taking|took) (\S+ ){0,3}?back/i, use: 'undo; of a run: roll back' },
  { find: /put(s|ting)? (\S+ ){0,3}?(right|back)/i, use: 'restore, fix' },
  { find: /(go|goes|going|went) back/i, use: 'roll back, is rolled back; return to' },
  { find: /(the|its|a|each|every) way back/i, use: 'the rollback' },
  { find: /(gives?|given|gave|giving) (\S+ )?back/i, use: 'return, release, restore' },
  {
    find: /(go|goes|going|went) on/i,
    use: 'continue; of a run: resume',
    except: /goes on the (controller|host|disk)/i,
  },
  { find: /cut off/i, use: 'did not finish, interrupted; of data: truncated' },
  {
    find: /(gives?|given|gave|giving) (\S+ ){0,3}?up/i,
    use: 'abort, skip, stop',
    except: /(give|gives|gave|giving) up (after|trying|waiting)/i,
  },
  {
    find: /as it was(?! \w+(ed|en|ound)\b)/i,
    use: 'restored, in its previous state, unchanged',
  },
  { find: /(all|not|is|are|be) as before/i, use: 'verified; unchanged' },
  { find: /of before/i, use: 'previous (the previous state)' },
  { find: /nothing to compare with/i, use: 'not verified: no state was recorded' },
  { find: /undo: uncovered/i, use: 'no undo' },
  { find: /prov(e|es|ed|en|ing)/i, use: 'verify, check, show' },
  { find: /(look|looks|looked|asks?|asked) whether/i, use: 'check whether; compare' },
  { find: /settle (it|that|the run)/i, use: 'resume it or roll it back' },
  { find: /at noon/i, use: 'rehearse' },
  { find: /pivot/i, use: 'point of no return' },
  { find: /on record/i, use: 'recorded' },
  { find: /(is|are|be|longer) due(?! to)/i, use: 'pending' },
  { find: /not begun/i, use: 'not started' },
  {
    find: /(?<!there )(is|are|was|were) over(?= *([.,;:)]|and|when|$|\0))/i,
    use: 'is finished, has ended; of a limit: exceeded',
  },
  {
    find: /until you say|what was changed stays|no new step begins/i,
    use: 'Changes were left in place. Next: …',
  },
  { find: /own ways?/i, use: 'strategy: free; independently' },
];

/** Hosts, programs and people. */
const actors: readonly Rule[] = [
  { find: /(is|are|was|were|be|been|stays?) away/i, use: 'is unreachable, cannot be reached' },
  { find: /(takes?|taken|took|taking) (\S+ ){0,3}?away/i, use: 'remove' },
  { find: /(go|goes|going|went) away/i, use: 'close, disappear, is removed' },
  {
    find: /(host|hosts|peer|machine|controller|operator) (that |which )?(is|are|was|has|have) gone/i,
    use: 'is unreachable, has disconnected',
  },
  { find: /with the rights of/i, use: 'as (another user); privilege escalation' },
  { find: /who(m|so)?ever/i, use: 'the user, the caller, anyone who' },
  { find: /(some|any)body/i, use: 'the operator, the user, anyone; name the actor' },
  {
    find: /(that|where|for|which|there is) nobody|nobody (is|knows|needs|asked|asks|wants|has|gets|waits|means|answers|signed|sits)/i,
    use: 'name the actor, or: no one, unused, unknown',
    except: /that nobody else/i,
  },
  {
    find: /(is|are|was|were|be|been|being) asked/i,
    use: 'runner prompts for …, queries …; is requested',
  },
  { find: /asked for/i, use: 'requested' },
  { find: /(is|are|was|were|be) said/i, use: 'is specified, declared, set' },
  {
    find: /(is|are|was|were|be|been|being) told/i,
    use: 'is passed, gets, is configured, is notified',
    except: /told otherwise/i,
  },
  {
    find: /(says|tells|say|tell) (who|what|why|which|where|how|whether|so)(?!\w)/i,
    use: 'reports, prints, shows, specifies',
  },
  { find: /tells? (\S+ ){1,4}?(apart|from)/i, use: 'distinguish … from …' },
  { find: /tells? more/i, use: 'write debug logs' },
  { find: /(?<=[.:!?(\0] ?)Say (?=")|or say (?=")/i, use: 'Set …, Add …' },
  {
    find: /(runner|MKE \d|engine|journal|lab|schema|host|Swarm|cluster|kubelet|DNF|apt|shell|check|checker|model|editor|plan|module|program|release|conversion|inventory) (alone )?knows?/i,
    use: 'supports, recognizes, has, records',
  },
  { find: /makes? (\S+ ){1,4}?known/i, use: 'add' },
  {
    find: /(?<!(operator|user|reader|author|caller|one|who|you) )wants/i,
    use: 'requires, expects, needs',
    except: /\.wants|wants=/i,
  },
  { find: /(is|are|was|were) wanted/i, use: 'is requested, is expected' },
  { find: /of one's own/i, use: 'custom' },
  { find: /without a word/i, use: 'silently, without a message' },
  { find: /lets? go/i, use: 'release' },
];

/** Places, times and counts. */
const places: readonly Rule[] = [
  { find: /folders?/i, use: 'directory' },
  { find: /blanks?(?! line)/i, use: 'space, whitespace' },
  { find: /anew/i, use: 'again' },
  {
    find: /behind/i,
    use: 'after',
    except:
      /(leave|leaves|leaving|left) (\S+ ){0,5}?behind|behind (a|an|the|another|each|its|one) (\S+ )?(proxy|bastion|balancer|firewall|gateway|jump host)|lags? behind|commits? behind/i,
  },
  {
    find: /in front( of)?/i,
    use: 'before, first',
    except: /(balancer|proxy) (\S+ )?in front of/i,
  },
  {
    find: /stands?|stood|standing/i,
    use: 'is (at, in); may be used; exists',
    except:
      /stand-ins?|stands? for|stood for|(stand|stands|stood|standing) in for|stands? still|stand-alone|long-standing/i,
  },
  { find: /lies|lay|lie (in|on|below|under|at)/i, use: 'is (in, at)' },
  { find: /what is (not )?there/i, use: 'what exists, what is missing' },
  { find: /(is|are|was|were) not there/i, use: 'does not exist, is missing' },
  { find: /aside/i, use: 'move away, save a copy', except: /aside from/i },
  {
    find: /(?<![\d.,:#-]|code |status )1 (hosts|steps|tasks|changes|files|minutes|hours|seconds|runs|plays|attempts|errors|warnings)/i,
    use: '1 host, 1 step …: a singular',
  },
  { find: /(is|are|be|was|were) counted among|count (\S+ )among/i, use: 'add to' },
  { find: /carr(y|ied|ies|ying) (\S+ ){0,4}?over/i, use: 'copy' },
  { find: /lists? of packages/i, use: 'package index' },
  {
    // Inside the program it is a step on one host.
    find: /units?/i,
    use: 'change',
    except:
      /(systemd|service|missing) units?|units? (files?|of systemd|of the CRI|k0s\w*)|says of its units|its unit/i,
    paths:
      /^(README|CHANGELOG|docs\/(rollback|language|validation|errors)\.md|src\/(cli|output)\/)/,
  },
];

/** Turns of phrase. */
const phrases: readonly Rule[] = [
  {
    find: /(?<!there )(is|are|was|were) no(?! +(longer|more|less|better|worse|different|later|earlier|one|need)\b)/i,
    use: 'is not a …',
  },
  { find: /(is|are|was|were) to be/i, use: 'must be; will be; should be' },
  { find: /to be had/i, use: 'available' },
  { find: /may not/i, use: 'must not, cannot; might not' },
  {
    find: /at all(?! (\w+s|of|three|four)\b)/i,
    use: 'nothing: leave it out',
    except: /or not at all/i,
  },
  { find: /(is|are|or) no more(?= *([.,;:)]|$|\0))/i, use: 'no longer exists; or remove' },
  { find: /mend(s|ed|ing|able)?/i, use: 'fix, fixable' },
  { find: /the course of|how the house/i, use: 'execution control, during; architecture' },
  { find: /but for/i, use: 'except' },
  { find: /puts? (\S+ ){0,3}?together/i, use: 'combine, merge, group' },
  { find: /(is|are|be|was|were) taken for/i, use: 'is treated as, is mistaken for' },
  { find: /(?<=\0 *|\. )So many/, use: 'Number of' },
  { find: /(?<=\0 *)Note (the|what|which|how|its|all|whether)/, use: 'Record' },
  { find: /Forget (earlier|what|all)/i, use: 'Reset, Clear' },
  { find: /do(es)? (no )?harm/i, use: 'damage, break; is ignored' },
  { find: /(is|are) well(?= *([.,;:)]|$|\0))/i, use: 'is healthy' },
  { find: /ended with code/i, use: 'failed with exit code' },
  { find: /not reached after/i, use: 'condition still false after' },
  { find: /check of check/i, use: 'plan' },
  { find: /the run of it/i, use: 'its run' },
  { find: /the last word/i, use: 'takes precedence' },
  {
    find: /thereof|therein|thereupon|whereof|whereupon|hereby|herewith|hither(to)?|thither|thence|whence|lest|ere|whilst|nought|naught|aforesaid|henceforth/i,
    use: 'a modern word',
  },
];

export const rules: readonly Rule[] = [...rollback, ...actors, ...places, ...phrases];
