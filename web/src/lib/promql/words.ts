/** A function of the language: how it is called, and one line about it. */
export interface PromFunction {
  name: string;
  /** Of the arguments, as in `rate(v range-vector)`. */
  signature: string;
  help: string;
  /** Its first argument is a range vector, so that a selector in it wants `[5m]`. */
  window: boolean;
}

const table = `
abs(v vector)|Absolute values
absent(v vector)|1 when the vector is empty, else nothing
absent_over_time(v range)|1 when the range holds no sample, else nothing
acos(v vector)|Arc cosine
acosh(v vector)|Inverse hyperbolic cosine
asin(v vector)|Arc sine
asinh(v vector)|Inverse hyperbolic sine
atan(v vector)|Arc tangent
atanh(v vector)|Inverse hyperbolic tangent
avg_over_time(v range)|Average of the samples of each series
ceil(v vector)|Rounded up to the next integer
changes(v range)|How often the value changed
clamp(v vector, min scalar, max scalar)|Values kept between two bounds
clamp_max(v vector, max scalar)|Values kept at or below a bound
clamp_min(v vector, min scalar)|Values kept at or above a bound
cos(v vector)|Cosine
cosh(v vector)|Hyperbolic cosine
count_over_time(v range)|How many samples there are
day_of_month(v vector = time())|Day of the month in UTC, 1 to 31
day_of_week(v vector = time())|Day of the week in UTC, 0 is Sunday
day_of_year(v vector = time())|Day of the year in UTC, 1 to 366
days_in_month(v vector = time())|How many days the month has
deg(v vector)|Radians to degrees
delta(v range)|Last minus first value of a gauge, extrapolated to the range
deriv(v range)|Change of a gauge per second, by linear regression
double_exponential_smoothing(v range, smoothing scalar, trend scalar)|Smoothed value of a gauge (experimental)
end()|End of the range asked for, in unix seconds
exp(v vector)|e to the power of each value
first_over_time(v range)|Oldest sample of each series
floor(v vector)|Rounded down to the next integer
histogram_avg(v vector)|Average of native histograms
histogram_count(v vector)|Number of observations of native histograms
histogram_fraction(lower scalar, upper scalar, v vector)|Share of observations between two bounds
histogram_quantile(q scalar, buckets vector)|Quantile of a histogram, from its buckets (le)
histogram_quantiles(buckets vector, label string, q scalar, …)|Several quantiles of a histogram, each with its label
histogram_stddev(v vector)|Standard deviation of native histograms
histogram_stdvar(v vector)|Variance of native histograms
histogram_sum(v vector)|Sum of the observations of native histograms
hour(v vector = time())|Hour of the day in UTC, 0 to 23
idelta(v range)|Difference of the last two samples of a gauge
increase(v range)|By how much a counter grew, resets taken into account
info(v vector, selector vector = target_info)|Adds the labels of matching info series (experimental)
irate(v range)|Growth of a counter per second, from the last two samples
label_join(v vector, to string, separator string, from string, …)|Joins labels into another one
label_replace(v vector, to string, replacement string, from string, regex string)|Sets a label from a part of another one
last_over_time(v range)|Newest sample of each series
ln(v vector)|Natural logarithm
log10(v vector)|Decimal logarithm
log2(v vector)|Binary logarithm
mad_over_time(v range)|Median absolute deviation (experimental)
max_over_time(v range)|Largest sample of each series
min_over_time(v range)|Smallest sample of each series
minute(v vector = time())|Minute of the hour in UTC, 0 to 59
month(v vector = time())|Month of the year in UTC, 1 to 12
pi()|3.14159…
predict_linear(v range, seconds scalar)|Value of a gauge in some seconds, by linear regression
present_over_time(v range)|1 for every series that has a sample
quantile_over_time(q scalar, v range)|Quantile of the samples of each series
rad(v vector)|Degrees to radians
range()|Length of the range asked for, in seconds
rate(v range)|Growth of a counter per second, averaged over the range
resets(v range)|How often a counter began anew
round(v vector, to scalar = 1)|Rounded to the nearest multiple
scalar(v vector)|The value of the only element as a number
sgn(v vector)|The sign: −1, 0 or 1
sin(v vector)|Sine
sinh(v vector)|Hyperbolic sine
sort(v vector)|Sorted by value, smallest first
sort_by_label(v vector, label string, …)|Sorted by labels (experimental)
sort_by_label_desc(v vector, label string, …)|Sorted by labels, backwards (experimental)
sort_desc(v vector)|Sorted by value, largest first
sqrt(v vector)|Square root
start()|Start of the range asked for, in unix seconds
stddev_over_time(v range)|Standard deviation of the samples of each series
stdvar_over_time(v range)|Variance of the samples of each series
step()|Seconds between the points asked for
sum_over_time(v range)|Sum of the samples of each series
tan(v vector)|Tangent
tanh(v vector)|Hyperbolic tangent
time()|Time of the evaluation, in unix seconds
timestamp(v vector)|When each sample was taken, in unix seconds
ts_of_first_over_time(v range)|When the oldest sample was taken (experimental)
ts_of_last_over_time(v range)|When the newest sample was taken (experimental)
ts_of_max_over_time(v range)|When the largest sample was taken (experimental)
ts_of_min_over_time(v range)|When the smallest sample was taken (experimental)
vector(s scalar)|A number as a vector without labels
year(v vector = time())|Year in UTC
`;

const aggregationTable = `
avg(v vector)|Average over series
bottomk(k scalar, v vector)|The k smallest series
count(v vector)|How many series there are
count_values(label string, v vector)|How many series have each value, which becomes a label
group(v vector)|1 for each group of labels
limit_ratio(ratio scalar, v vector)|A share of the series, always the same ones (experimental)
limitk(k scalar, v vector)|Any k series (experimental)
max(v vector)|Largest value over series
min(v vector)|Smallest value over series
quantile(q scalar, v vector)|Quantile over series, q between 0 and 1
stddev(v vector)|Standard deviation over series
stdvar(v vector)|Variance over series
sum(v vector)|Sum over series
topk(k scalar, v vector)|The k largest series
`;

function read(text: string): PromFunction[] {
  return text.trim().split('\n').map((line) => {
    const [call, help] = line.split('|') as [string, string];
    const name = call.slice(0, call.indexOf('('));
    return { name, signature: call.slice(name.length), help, window: /\bv range\b/.test(call) };
  });
}

export const functions: readonly PromFunction[] = read(table);
export const aggregations: readonly PromFunction[] = read(aggregationTable);
const byName = new Map([...functions, ...aggregations].map((one) => [one.name, one]));

/** A function or an aggregation; undefined when there is none of this name. */
export const functionNamed = (name: string): PromFunction | undefined => byName.get(name.toLowerCase());
export const isAggregation = (name: string): boolean => aggregations.some((one) => one.name === name.toLowerCase());

/** Words that may follow a value. */
export const operators: readonly { name: string; help: string }[] = [
  { name: 'and', help: 'Series of the left that the right has, too' },
  { name: 'or', help: 'Series of the left, and those that only the right has' },
  { name: 'unless', help: 'Series of the left that the right does not have' },
  { name: 'atan2', help: 'Arc tangent of left / right' },
  { name: 'offset', help: 'As it was some time before: offset 1h' },
  { name: 'by', help: 'Of an aggregation: keeps these labels only' },
  { name: 'without', help: 'Of an aggregation: keeps all labels but these' },
  { name: 'on', help: 'Matches both sides by these labels only' },
  { name: 'ignoring', help: 'Matches both sides by all labels but these' },
  { name: 'group_left', help: 'Several series of the left belong to one of the right' },
  { name: 'group_right', help: 'Several series of the right belong to one of the left' },
  { name: 'bool', help: 'A comparison gives 0 or 1 and takes no series away' },
];

/** After these, labels stand in brackets. */
export const groupingWords: ReadonlySet<string> = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
export const keywords: ReadonlySet<string> = new Set([...operators.map(({ name }) => name), 'inf', 'nan', 'anchored', 'smoothed']);

export const durations: readonly string[] = ['1m', '5m', '10m', '30m', '1h', '6h', '1d', '7d'];
