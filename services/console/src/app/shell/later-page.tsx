import { type ComponentType, type ReactNode, useEffect, useState } from 'react';
import { Empty } from '../parts/notice.tsx';

/** A screen whose code is fetched when it is first shown: what nobody looks at, nobody loads. */
export function laterPage<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let known: ComponentType<Props> | undefined;
  return function Later(props: Props): ReactNode {
    const [isLost, setLost] = useState(false);
    const [, setKnown] = useState(known !== undefined);
    useEffect(() => {
      if (known !== undefined) return;
      load().then(
        (page) => {
          known = page;
          setKnown(true);
        },
        () => setLost(true),
      );
    }, []);
    if (known !== undefined) {
      const Page = known;
      return <Page {...props} />;
    }
    if (isLost) return <Lost />;
    return <p className="loading">Loading this page …</p>;
  };
}

/** Parts of an older console are gone after an update, or Flyball is away. */
function Lost(): ReactNode {
  return (
    <Empty title="This page could not be loaded">
      Flyball was updated meanwhile, or does not answer:{' '}
      <button type="button" className="button button-plain" onClick={() => location.reload()}>
        load it again
      </button>
    </Empty>
  );
}
